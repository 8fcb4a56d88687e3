"""The hub as `push` sees it: a few typed calls on huggingface_hub's client, with hubpub's errors."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubpub.core.errors import (
    AuthError,
    ConflictError,
    FindingsError,
    HubError,
    HubpubError,
    UsageError,
    VerificationError,
)
from hubpub.publish.target import Target

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete

    CommitOperation = CommitOperationAdd | CommitOperationCopy | CommitOperationDelete

WRITING_ROLES = ("contributor", "write", "admin")

_ATTEMPTS = 4
_PAUSE = 0.125  # seconds; doubled with each failure, before a download goes on
_BLOCK = 1 << 20
_WHOLE = 200
_RANGE_NOT_SATISFIABLE = 416
# What a hub or its storage answers for a file that is lost or locked; other failures are of the moment.
_FAILED = 500
_NOT_SERVED = {403, 404, 410, _FAILED}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a token belongs to, from `GET /api/whoami-v2`.

    Attributes:
        name: the user's name, which is also a namespace.
        token_role: "read", "write", "fineGrained", or None where the hub does not say.
        orgs: role by organisation; None where the hub does not say.
        writable: namespaces that a fine-grained token names with `repo.write`; None for other tokens.
    """

    name: str
    token_role: str | None
    orgs: dict[str, str | None]
    writable: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a repo's tree. `sha256` is set for LFS and xet files, `blob` (git's SHA-1) for all."""

    path: str
    size: int
    blob: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of a branch."""

    oid: str
    title: str
    message: str


class NotServedError(VerificationError):
    """The hub lists a file and does not hand it out."""


class _StorageError(VerificationError):
    """The hub failed to hand out a file; it may do so the next time."""


def deletions(paths: Iterable[str]) -> list[CommitOperationDelete]:
    """One operation of a commit for each file that it deletes."""
    from huggingface_hub import CommitOperationDelete

    return [CommitOperationDelete(path, is_folder=False) for path in paths]


class HubClient:
    """Calls on one hub; every failure is a HubpubError."""

    def __init__(self, target: Target) -> None:
        from huggingface_hub import HfApi

        self.endpoint = target.endpoint
        self._target = target
        # False: nobody is signed in, whatever token this machine has.
        self._token: str | bool = target.token or False
        self._api = HfApi(endpoint=target.endpoint, token=self._token, library_name="hubpub")

    def whoami(self) -> Identity:
        """Who the token belongs to.

        Raises:
            AuthError: the hub does not know the token.
            HubError: the hub cannot be reached.
        """
        with self._errors("ask the hub who this token belongs to"):
            return _identity(self._api.whoami())

    def head(self, repo_id: str, revision: str) -> tuple[str | None, bool] | None:
        """(commit oid of `revision`, whether the repo is private); None when there is no such repo to see."""
        from huggingface_hub import errors

        with self._errors(f"read {repo_id}"):
            try:
                info = self._api.model_info(repo_id, revision=revision)
            except errors.GatedRepoError:
                raise
            except errors.RepositoryNotFoundError:
                return None
            except errors.RevisionNotFoundError as error:
                raise UsageError(
                    f"{repo_id} has no branch {revision}",
                    "create the branch on the hub first, or push to main",
                ) from error
            return info.sha, bool(info.private)

    def resolve(self, repo_id: str, revision: str) -> str:
        """The commit that a branch, a tag or a commit id names.

        Raises:
            UsageError: there is no such repo to see, or it has no such revision.
        """
        from huggingface_hub import errors

        with self._errors(f"read {repo_id}"):
            try:
                found = self._api.model_info(repo_id, revision=revision).sha
            except errors.GatedRepoError:
                raise
            except errors.RepositoryNotFoundError as error:
                raise UsageError(
                    f"{self.endpoint} has no model {repo_id}, or this token may not see it",
                    "check the repo id; a private repo looks absent to a token that may not read it",
                ) from error
            except errors.RevisionNotFoundError as error:
                raise UsageError(
                    f"{repo_id} has no branch, tag or commit {revision}", "look at its tags and history on the hub"
                ) from error
        if found is None:
            raise UsageError(f"{repo_id} has no commits", "publish to it first")
        return found

    def check_write(self, repo_id: str) -> None:
        """Return if the token may write to the existing repo.

        Raises:
            AuthError: it may not.
        """
        with self._errors(f"write to {repo_id}"):
            self._api.auth_check(repo_id, write=True)

    def tree(self, repo_id: str, revision: str) -> dict[str, RemoteFile]:
        """Every file at `revision`, by path."""
        from huggingface_hub.hf_api import RepoFile

        with self._errors(f"list the files of {repo_id}"):
            return {
                item.path: RemoteFile(item.path, item.size, item.blob_id, item.lfs.sha256 if item.lfs else None)
                for item in self._api.list_repo_tree(repo_id, recursive=True, revision=revision)
                if isinstance(item, RepoFile)
            }

    def commits(self, repo_id: str, revision: str) -> list[Commit]:
        """The commits that lead to `revision`, newest first."""
        with self._errors(f"read the history of {repo_id}"):
            return [
                Commit(item.commit_id, item.title, item.message)
                for item in self._api.list_repo_commits(repo_id, revision=revision)
            ]

    def read(self, repo_id: str, path: str, revision: str, limit: int) -> bytes:
        """The content of one small file.

        Raises:
            HubError: it has more than `limit` bytes.
        """
        content = bytearray()
        for chunk in self.stream(repo_id, path, revision):
            content += chunk
            if len(content) > limit:
                raise HubError(f"{path} of {repo_id} has more than {limit:,} bytes", "look at that file in the repo")
        return bytes(content)

    def stream(self, repo_id: str, path: str, revision: str) -> Iterator[bytes]:
        """The content of one file, block by block; a download that breaks off goes on where it was.

        Raises:
            NotServedError: the hub lists the file and does not hand it out.
            HubError: the hub or the network failed, again and again.
        """
        from huggingface_hub import hf_hub_url

        url = hf_hub_url(repo_id, path, revision=revision, endpoint=self.endpoint)
        done = failures = 0
        while True:
            begun = done
            try:
                with self._errors(f"read {path} of {repo_id}"):
                    for chunk in self._download(url, done):
                        done += len(chunk)
                        yield chunk
                return
            except (HubError, _StorageError) as error:
                failures = 1 if done - begun >= _BLOCK else failures + 1
                if failures == _ATTEMPTS:
                    if isinstance(error, _StorageError):
                        raise NotServedError(error.message, error.next_step) from error
                    raise
                time.sleep(_PAUSE * 2**failures)

    def _download(self, url: str, start: int) -> Iterator[bytes]:
        from huggingface_hub import get_session
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

        # Ranges count the bytes of the file, so it must come as it is.
        headers = build_hf_headers(token=self._token, library_name="hubpub") | {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with get_session().stream("GET", url, headers=headers, follow_redirects=True, timeout=60) as response:
            if start and response.status_code == _RANGE_NOT_SATISFIABLE:
                return  # all of it had come
            if response.status_code in _NOT_SERVED:
                kind = _StorageError if response.status_code == _FAILED else NotServedError
                raise kind(f"cannot be fetched: HTTP {response.status_code}", "publish the file again")
            hf_raise_for_status(response)
            skip = start if response.status_code == _WHOLE else 0
            for chunk in response.iter_bytes(_BLOCK):
                if skip < len(chunk):
                    yield chunk[skip:]
                skip = max(0, skip - len(chunk))

    def tags(self, repo_id: str) -> dict[str, str]:
        """Commit oid by tag."""
        with self._errors(f"read the tags of {repo_id}"):
            return {ref.name: ref.target_commit for ref in self._api.list_repo_refs(repo_id).tags}

    def create_repo(self, repo_id: str, *, private: bool) -> None:
        """Create the model repo; one that exists already is left as it is."""
        with self._errors(f"create {repo_id}"):
            self._api.create_repo(repo_id, private=private, exist_ok=True)

    def upload(self, repo_id: str, revision: str, additions: Sequence[CommitOperationAdd]) -> None:
        """Send the content of the large files; nothing is visible to readers yet."""
        with self._errors(f"upload to {repo_id}"):
            self._api.preupload_lfs_files(repo_id, additions, revision=revision, free_memory=False)

    def commit(
        self,
        repo_id: str,
        revision: str,
        operations: Sequence[CommitOperation],
        *,
        parent: str | None,
        title: str,
        description: str,
    ) -> str:
        """Make ONE commit on top of `parent`; returns its oid.

        Raises:
            ConflictError: the branch is not at `parent` any more.
        """
        with self._errors(f"commit to {repo_id}"), warnings.catch_warnings():
            # What the hub would warn of in the card is among the findings already.
            warnings.simplefilter("ignore", UserWarning)
            info = self._api.create_commit(
                repo_id,
                list(operations),
                commit_message=title,
                commit_description=description,
                revision=revision,
                parent_commit=parent,
            )
            return info.oid

    def create_tag(self, repo_id: str, tag: str, oid: str, message: str) -> None:
        """Tag a commit.

        Raises:
            ConflictError: there is a tag of that name.
        """
        with self._errors(f"tag {repo_id} with {tag}"):
            self._api.create_tag(repo_id, tag=tag, revision=oid, tag_message=message)

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        """Turn what huggingface_hub, hf_xet and httpx raise into hubpub's errors, said in terms of `doing`."""
        import httpx2
        from huggingface_hub import errors

        try:
            yield
        except HubpubError:
            raise
        except errors.OfflineModeIsEnabled as error:
            raise UsageError(f"cannot {doing}: HF_HUB_OFFLINE is set", "unset HF_HUB_OFFLINE") from error
        except errors.HfHubHTTPError as error:
            raise self._http_error(doing, error) from error
        except httpx2.HTTPError as error:
            raise HubError(
                f"cannot {doing}: {self.endpoint} does not answer ({_one_line(error)})",
                "check the address, the network and the proxy, then run the same command again",
            ) from error
        except (ConnectionError, RuntimeError, OSError) as error:
            # hf_xet reports everything as ConnectionError or RuntimeError with text only; one failed LFS
            # upload is a RuntimeError with the HTTP error as its cause.
            if isinstance(error.__cause__, errors.HfHubHTTPError):
                raise self._http_error(doing, error.__cause__) from error
            if re.search(r"\b40[13]\b", str(error)):
                raise AuthError(f"cannot {doing}: {_one_line(error)}", _WRITE_HINT) from error
            raise HubError(f"cannot {doing}: {_one_line(error)}", _RETRY_HINT) from error
        except ValueError as error:
            if "Invalid metadata in README.md" in str(error):
                raise FindingsError(
                    f"the hub refuses the card: {_one_line(error)}",
                    "mend the metadata; `hubpub lint` explains it",
                ) from error
            raise HubError(f"cannot {doing}: {_one_line(error)}", _RETRY_HINT) from error

    def _http_error(self, doing: str, error: Any) -> HubpubError:
        status = error.response.status_code
        said = redact(error.server_message or "") or f"HTTP {status}"
        what = f"cannot {doing}: {_one_line(said)}"
        request = f" (request {error.request_id})" if error.request_id else ""
        if status == 401:
            return AuthError(
                f"{self.endpoint} does not accept the token from {self._target.token_source}",
                "make a new token in the hub's settings and set HF_TOKEN to it, or run `hf auth login`",
            )
        if status in (402, 403):
            return AuthError(what, _WRITE_HINT)
        if status == 404:
            return AuthError(what, "check the repo id; a private repo looks absent to a token that may not read it")
        if status in (409, 412):
            return ConflictError(what, "run the same command again: it compares with what is on the hub now")
        if status == 429:
            wait = error.response.headers.get("retry-after")
            return HubError(what, f"wait {wait + ' s' if wait else 'a few minutes'}, then run the same command again")
        return HubError(what + request, _RETRY_HINT)


_WRITE_HINT = "use a token with write permission, of a member of that organisation who may write; see `hubpub whoami`"
_RETRY_HINT = "run the same command again; what was sent already is not sent twice"


def redact(text: str) -> str:
    """`text` without anything that looks like a token of the Hub."""
    return re.sub(r"\b(hf|api)_(?:jwt_|oauth_)?[A-Za-z0-9._-]{6,}", r"\1_***", text)


def _one_line(message: object) -> str:
    return redact(" ".join(str(message).split()))[:400]


def _identity(body: dict[str, Any]) -> Identity:
    """The parts of a whoami-v2 answer that decide where one may write; each may be absent."""
    access = (body.get("auth") or {}).get("accessToken") or {}
    orgs = {org["name"]: org.get("roleInOrg") for org in body.get("orgs") or [] if org.get("name")}
    role = access.get("role")
    writable = None
    if role == "fineGrained":
        fine = access.get("fineGrained") or {}
        writable = frozenset(
            scope["entity"]["name"].partition("/")[0]
            for scope in fine.get("scoped") or []
            if "repo.write" in (scope.get("permissions") or []) and (scope.get("entity") or {}).get("name")
        )
        if "repo.write" in (fine.get("global") or []):
            writable |= {body["name"], *orgs}
    return Identity(name=body["name"], token_role=role, orgs=orgs, writable=writable)
