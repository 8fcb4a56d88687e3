"""Which names the hub accepts: repo ids, paths in a repo, branches and tags.

The client checks some of this too; the hub cannot rely on it. Repo names follow
`huggingface_hub.utils.validate_repo_id`; refs follow git-check-ref-format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from hubpub.hub.errors import ApiError, bad_request

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,95}")
_RESERVED_NAMESPACES = frozenset(
    {"api", "cas", "datasets", "healthz", "kernels", "lfs", "metrics", "models", "oauth", "spaces"}
)
_DEEPEST_PATH = 64
_LONGEST_PATH = 1024
_LONGEST_SEGMENT = 255
_FORBIDDEN_SEGMENTS = frozenset({"", ".", "..", ".git", "git~1"})


class RepoKind(StrEnum):
    """The repo types that this hub holds."""

    MODEL = "model"
    DATASET = "dataset"
    SPACE = "space"

    @property
    def plural(self) -> str:
        """As it stands in API paths: `models`, `datasets`, `spaces`."""
        return f"{self.value}s"

    @property
    def web_prefix(self) -> str:
        """What precedes the repo id in web, resolve and LFS paths: nothing for models."""
        return "" if self is RepoKind.MODEL else f"{self.plural}/"


@dataclass(frozen=True, slots=True)
class RepoId:
    """`namespace/name` of one kind."""

    kind: RepoKind
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def web_path(self) -> str:
        """`ns/name`, or `datasets/ns/name`."""
        return f"{self.kind.web_prefix}{self}"


def is_name(text: str) -> bool:
    """Whether `text` can be the name of a user, an organisation or a repo."""
    return (
        _NAME.fullmatch(text) is not None
        and "--" not in text
        and ".." not in text
        and text[-1] not in "-."
        and not text.endswith(".git")
    )


def is_namespace(text: str) -> bool:
    """Whether `text` can be the name of a user or an organisation: no address of the hub's own."""
    return is_name(text) and text not in _RESERVED_NAMESPACES


def repo_id(kind: RepoKind, namespace: str, name: str) -> RepoId | None:
    """The id, or None if no repo can have it."""
    return RepoId(kind, namespace, name) if is_namespace(namespace) and is_name(name) else None


def repo_at(web_path: str) -> RepoId | None:
    """The repo whose web path is `ns/name` or `datasets/ns/name`; None if no repo can have it."""
    prefix, _, rest = web_path.partition("/")
    for kind in RepoKind:
        if kind.web_prefix == f"{prefix}/":
            return repo_at_kind(kind, rest)
    return repo_at_kind(RepoKind.MODEL, web_path)


def repo_at_kind(kind: RepoKind, text: str) -> RepoId | None:
    """The repo `ns/name` of a kind; None if no repo can have that id."""
    namespace, _, name = text.partition("/")
    return repo_id(kind, namespace, name)


def checked_path(path: str) -> str:
    """`path` as it is, if a file of a repo may be called that.

    Raises:
        ApiError: 400 for an absolute path, `.`, `..` or `.git` in it, control characters, or one that is too
            long or too deep.
    """
    fault = _path_fault(path)
    if fault:
        raise bad_request(f"Invalid path in repo: {fault}")
    return path


def is_path(path: str) -> bool:
    """Whether a file of a repo may be called `path`."""
    return _path_fault(path) is None


def _path_fault(path: str) -> str | None:
    try:
        size = len(path.encode("utf-8"))
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    if size > _LONGEST_PATH:
        return f"it is longer than {_LONGEST_PATH} bytes"
    if any(ord(character) < 32 or ord(character) == 127 for character in path):
        return "it holds a control character"
    segments = path.split("/")
    if len(segments) > _DEEPEST_PATH:
        return f"it is deeper than {_DEEPEST_PATH} folders"
    for segment in segments:
        # "git~1" is what some file systems call ".git"; a checkout there must not write into it.
        if segment.casefold() in _FORBIDDEN_SEGMENTS:
            return f"{segment!r} cannot be part of it" if segment else "it has an empty segment"
        if len(segment.encode("utf-8")) > _LONGEST_SEGMENT:
            return f"a name in it is longer than {_LONGEST_SEGMENT} bytes"
    return None


def checked_ref(name: str, prefix: str) -> str:
    """The full ref of a new branch or tag: `prefix` and `name`.

    Raises:
        ApiError: 400 if git would not accept it, or if it reads like a commit id or a full ref.
    """
    from dulwich.refs import Ref, check_ref_format

    full = prefix + name
    fits = len(full.encode("utf-8", "surrogatepass")) <= _LONGEST_SEGMENT and full.isprintable()
    misleading = name.startswith("refs/") or re.fullmatch(r"[0-9a-f]{40}", name) is not None
    if misleading or not fits or not check_ref_format(Ref(full.encode("utf-8"))):
        raise ApiError(400, f"Invalid reference name: {name}")
    return full
