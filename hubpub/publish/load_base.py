"""The base model of a published adapter: found on the same hub, and fetched into the cache that the child loads from.

It is somebody else's repo: what stands against loading it is a reason to skip, and no fault of the adapter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from hubpub.core.errors import AuthError, UsageError
from hubpub.core.wording import size as in_words
from hubpub.model.adapter import Adapter
from hubpub.model.folder import ModelFolder
from hubpub.model.kind import ModelKind
from hubpub.model.load import memory_needed
from hubpub.publish.client import HubClient
from hubpub.publish.load_cache import LoadCache
from hubpub.publish.load_request import needs_consent
from hubpub.publish.remote import RemoteFile

BASE_LIMIT = 10 * 10**9
"""Bytes: a model of 4 to 5 billion parameters in half precision."""

# Weights that loaders do not take where there are safetensors.
_OTHER_WEIGHTS = {
    ".bin",
    ".ckpt",
    ".gguf",
    ".h5",
    ".index",
    ".mlmodel",
    ".msgpack",
    ".onnx",
    ".ot",
    ".pb",
    ".pt",
    ".pth",
    ".tflite",
    ".zip",
}
_SAFE = ".safetensors"


@dataclass(frozen=True, slots=True)
class Base:
    """The base model of an adapter.

    Attributes:
        repo_id: namespace/name.
        commit: what the revision is that adapter_config.json names.
        weight_bytes: of its weights.
        memory_needed: bytes that loading it takes.
    """

    repo_id: str
    commit: str
    weight_bytes: int
    memory_needed: int


def fetch_base(
    cache: LoadCache, client: HubClient, adapter: Adapter, limit: int, notify: Callable[[str], None]
) -> Base | str:
    """Fetch the base, if it is there and no larger than `limit` bytes; why not, as a sentence without a full stop.

    Raises:
        VerificationError: the hub does not hand out what it lists.
        UsageError: there is no room for it.
        HubError: the hub or the network failed.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    repo_id, revision = adapter.base_model, adapter.base_revision
    if repo_id is None or adapter.base_is_local or adapter.base_is_custom:
        return "adapter_config.json does not name its base model by an id of a hub"
    try:
        validate_repo_id(repo_id)
        commit = client.resolve(repo_id, revision)
        tree = client.tree(repo_id, commit)
    except HFValidationError:
        return f"no hub has a model of the name {repo_id}, which adapter_config.json gives its base"
    except (UsageError, AuthError) as error:
        return f"its base model cannot be fetched: {error.message}"
    files = {path: file for path, file in tree.items() if _is_loaded(path)}
    size = sum(file.size for file in files.values())
    weights = _weight_bytes(files)
    if not weights:
        return f"its base model {repo_id} has no safetensors, and hubpub unpickles nothing"
    if size > limit:
        return f"its base model {repo_id} has {in_words(size)}, and --base-limit is {in_words(limit)}"
    notify(f"fetching {repo_id} at {commit[:12]}, the base model: {size:,} bytes")
    directory = cache.fill(client, repo_id, commit, files)
    cache.name(repo_id, revision, commit)
    folder = ModelFolder.open(directory)
    if folder.kind not in (ModelKind.TRANSFORMERS, ModelKind.SENTENCE_TRANSFORMERS):
        return f"its base model {repo_id} is one of kind {folder.kind.value}, which hubpub does not load adapters on"
    if reason := needs_consent(folder):
        return f"loading its base model {repo_id} {reason}"
    return Base(repo_id, commit, weights, memory_needed(folder))


def _is_loaded(path: str) -> bool:
    suffix = PurePosixPath(path.removesuffix(".index.json")).suffix.lower()
    return "/" not in path and suffix not in _OTHER_WEIGHTS


def _weight_bytes(files: dict[str, RemoteFile]) -> int:
    return sum(file.size for path, file in files.items() if path.endswith(_SAFE))
