"""The hub as hubpub sees it: a few typed calls, each bounded in time and repeated where that does no harm."""

from __future__ import annotations

import base64
import difflib
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote

from hubpub.core.errors import AuthError, ConflictError, HubError, HubpubError, UsageError
from hubpub.core.wording import listed
from hubpub.publish.body import Operation, commit_body
from hubpub.publish.download import NotServedError, download
from hubpub.publish.http import Http, Patience
from hubpub.publish.identity import Identity, identity_of
from hubpub.publish.local import LocalFile, is_content
from hubpub.publish.refusals import RETRY_HINT, MissingError, NoAnswerError, refused_card
from hubpub.publish.remote import Commit as Commit  # by this name for those who know the client alone
from hubpub.publish.remote import RemoteFile, UploadMode, commit_of, file_of
from hubpub.publish.target import Target
from hubpub.publish.upload import upload

_SAMPLE = 512
_AT_ONCE = 256  # files of one preupload call, the hub's limit
_GITIGNORE = ".gitignore"


class HubClient:
    """Calls on one hub; every failure is a HubpubError."""

    def __init__(
        self, target: Target, patience: Patience | None = None, notify: Callable[[str], None] = lambda _: None
    ) -> None:
        """Args: `notify` is told why something takes long: a rate limit, a hub that does not answer."""
        self.endpoint = target.endpoint
        self.http = Http(target, patience or Patience(), notify)

    def whoami(self) -> Identity:
        """Who the token belongs to.

        Raises:
            AuthError: the hub does not know the token.
            HubError: the hub cannot be reached.
        """
        try:
            return identity_of(self.http.get("/api/whoami-v2", doing="ask the hub who this token belongs to"))
        except MissingError as error:
            raise HubError(
                f"{self.endpoint} does not answer as a hub does: it does not know whose token this is",
                "check the address; it is that of the hub alone, such as https://huggingface.co",
            ) from error

    def head(self, repo_id: str, revision: str) -> tuple[str | None, bool] | None:
        """(commit oid of `revision`, whether the repo is private); None when there is no such repo to see."""
        try:
            info = self.http.get(api_path(repo_id, "revision", revision), doing=f"read {repo_id}")
        except MissingError as error:
            if error.kind == "repo":
                return None
            if error.kind == "revision":
                raise UsageError(
                    f"{repo_id} has no branch {revision}", "create the branch on the hub first, or push to main"
                ) from error
            raise
        if info.get("disabled"):
            raise AuthError(f"{repo_id} is disabled", "ask the hub's staff why; nobody can publish to it", layer="repo")
        return info.get("sha"), bool(info.get("private"))

    def resolve(self, repo_id: str, revision: str) -> str:
        """The commit that a branch, a tag or a commit id names.

        Raises:
            UsageError: there is no such repo to see, or it has no such revision.
        """
        try:
            found = self.http.get(api_path(repo_id, "revision", revision), doing=f"read {repo_id}").get("sha")
        except MissingError as error:
            if error.kind == "repo":
                raise UsageError(
                    f"{self.endpoint} has no model {repo_id}, or this token may not see it",
                    "check the repo id; a private repo looks absent to a token that may not read it",
                ) from error
            if error.kind == "revision":
                raise UsageError(
                    f"{repo_id} has no branch, tag or commit {revision}", self._nearest(repo_id, revision)
                ) from error
            raise
        if found is None:
            raise UsageError(f"{repo_id} has no commits", "publish to it first")
        return str(found)

    def _nearest(self, repo_id: str, revision: str) -> str:
        """What may have been meant by a revision that is not there."""
        try:
            tags = sorted(self.tags(repo_id), reverse=True)
        except HubpubError:
            tags = []
        near = difflib.get_close_matches(revision, tags, n=1)
        if near:
            return f"did you mean {near[0]}?"
        return f"its tags are {listed(tags)}" if tags else "it has no tags; look at its history on the hub"

    def check_write(self, repo_id: str) -> None:
        """Return if the token may write to the existing repo.

        Raises:
            AuthError: it may not.
        """
        self.http.call("GET", api_path(repo_id, "auth-check", "write"), doing=f"write to {repo_id}")

    def tree(self, repo_id: str, revision: str) -> dict[str, RemoteFile]:
        """Every file at `revision`, by path."""
        items = self.http.pages(
            api_path(repo_id, "tree", revision),
            params={"recursive": "true", "expand": "false"},
            doing=f"list the files of {repo_id}",
        )
        with self.http.errors(f"list the files of {repo_id}"):
            return {item["path"]: file_of(item) for item in items if item.get("type") == "file"}

    def commits(self, repo_id: str, revision: str) -> list[Commit]:
        """The commits that lead to `revision`, newest first."""
        return list(self.history(repo_id, revision))

    def history(self, repo_id: str, revision: str) -> Iterator[Commit]:
        """The commits that lead to `revision`, newest first, fetched page by page as they are looked at."""
        pages = self.http.pages(api_path(repo_id, "commits", revision), doing=f"read the history of {repo_id}")
        return map(commit_of, pages)

    def read(self, repo_id: str, file: RemoteFile, revision: str, limit: int) -> bytes:
        """The content of one small file, which is the one that the hub states.

        Raises:
            HubError: it has more than `limit` bytes, or is another one, again and again.
        """

        def attempt() -> bytes:
            try:
                content = b"".join(self.stream(repo_id, file.path, revision))
            except NotServedError as error:
                raise HubError(f"{file.path} of {repo_id} {error.message}", RETRY_HINT) from error
            if not is_content(file, content):
                raise NoAnswerError(
                    f"{repo_id} serves other bytes of {file.path} than the hash that it states", RETRY_HINT
                )
            return content

        if file.size > limit:
            raise HubError(f"{file.path} of {repo_id} has more than {limit:,} bytes", "look at that file in the repo")
        return self.http.repeated(attempt)

    def stream(self, repo_id: str, path: str, revision: str) -> Iterator[bytes]:
        """The content of one file, block by block; a download that breaks off goes on where it was.

        Raises:
            NotServedError: the hub lists the file and does not hand it out.
            HubError: the hub or the network failed, again and again.
        """
        return download(self.http, repo_id, path, revision)

    def tags(self, repo_id: str) -> dict[str, str]:
        """Commit oid by tag."""
        refs = self.http.get(api_path(repo_id, "refs"), doing=f"read the tags of {repo_id}")
        return {ref["name"]: ref["targetCommit"] for ref in refs.get("tags") or []}

    def create_repo(self, repo_id: str, *, private: bool) -> bool:
        """Create the model repo; whether it was there already, which leaves it as it is."""
        namespace, _, name = repo_id.partition("/")
        visibility = "private" if private else "public"
        document = {"name": name, "organization": namespace, "visibility": visibility}
        try:
            self.http.post("/api/repos/create", document=document, doing=f"create {repo_id}")
        except (AuthError, ConflictError):
            # A token that may not create repos may have one given to it.
            if self.head(repo_id, "main") is None:
                raise
            return True
        return False

    def set_private(self, repo_id: str, *, private: bool, gating: str | None = None) -> None:
        """Make the repo private, or public, and in the same step have readers ask for access.

        Raises:
            AuthError: the token may not.
        """
        visibility = "private" if private else "public"
        self.http.call(
            "PUT",
            api_path(repo_id, "settings"),
            document={"visibility": visibility} | ({"gated": gating} if gating else {}),
            doing=f"make {repo_id} {visibility}",
        )

    def set_gated(self, repo_id: str, gating: str) -> None:
        """Have readers of the repo ask for access: "auto" or "manual".

        Raises:
            AuthError: the token may not.
        """
        self.http.call("PUT", api_path(repo_id, "settings"), document={"gated": gating}, doing=f"have {repo_id} gated")

    def check_card(self, content: bytes) -> None:
        """Return if the hub takes the metadata of the card; one that cannot say takes it.

        Raises:
            FindingsError: it does not.
        """
        document = {"content": content.decode("utf-8", "replace"), "repoType": "model"}
        try:
            self.http.post("/api/validate-yaml", document=document, doing="have the card validated")
        except MissingError:
            return
        except HubError as error:
            response = getattr(error.__cause__, "response", None)
            if response is None or response.status_code != 400:
                raise
            try:
                messages = [str(item["message"]) for item in response.json()["errors"]]
            except (ValueError, KeyError, TypeError):
                messages = [error.message]
            raise refused_card(messages) from error

    def modes(self, repo_id: str, revision: str, files: Sequence[LocalFile]) -> dict[str, UploadMode]:
        """How each file goes to the hub, by path."""
        ignore = next((file.read().decode("utf-8", "replace") for file in files if file.path == _GITIGNORE), None)
        found: dict[str, UploadMode] = {}
        for first in range(0, len(files), _AT_ONCE):
            found |= self._modes(repo_id, revision, files[first : first + _AT_ONCE], ignore)
        return found

    def _modes(
        self, repo_id: str, revision: str, files: Sequence[LocalFile], ignore: str | None
    ) -> dict[str, UploadMode]:
        described = [
            {"path": file.path, "sample": base64.b64encode(file.start(_SAMPLE)).decode(), "size": file.size}
            for file in files
        ]
        document = {"files": described} | ({"gitIgnore": ignore} if ignore is not None else {})
        doing = f"upload to {repo_id}"
        answer = self.http.post(api_path(repo_id, "preupload", revision), document=document, doing=doing)
        told = {item["path"]: item for item in answer.get("files") or []}
        missing = [file.path for file in files if file.path not in told]
        if missing:
            raise HubError(f"cannot {doing}: the hub does not say how {missing[0]} is uploaded", "report it to the hub")
        # Storage takes no empty objects: they are in the commit, as huggingface_hub has it.
        return {
            file.path: UploadMode(
                large=told[file.path]["uploadMode"] == "lfs" and file.size > 0,
                ignored=bool(told[file.path].get("shouldIgnore")),
            )
            for file in files
        }

    def upload(self, repo_id: str, revision: str, files: Sequence[LocalFile]) -> None:
        """Send the content of large files; nothing is visible to readers yet, and what the hub holds is not sent."""
        upload(self.http, repo_id, revision, files)

    def commit(
        self,
        repo_id: str,
        revision: str,
        operations: Sequence[Operation],
        *,
        parent: str | None,
        title: str,
        description: str,
    ) -> str:
        """Make ONE commit on top of `parent`, in one attempt; returns its oid.

        Raises:
            ConflictError: the branch is not at `parent`, or another commit is being made.
            NoAnswerError: nobody knows whether it was made.
        """
        with commit_body(operations, parent=parent, title=title, description=description) as body:
            answer = self.http.call(
                "POST",
                api_path(repo_id, "commit", revision),
                body=body,
                doing=f"commit to {repo_id}",
                again=False,
                needs_document=True,
                answer_within=self.http.patience.commit,
            )
        try:
            return str(answer.json()["commitOid"])
        except (ValueError, KeyError, TypeError) as error:
            raise NoAnswerError(f"cannot commit to {repo_id}: the hub's answer names no commit", RETRY_HINT) from error

    def create_tag(self, repo_id: str, tag: str, oid: str, message: str) -> None:
        """Tag a commit.

        Raises:
            ConflictError: there is a tag of that name, at another commit.
        """
        try:
            self.http.post(
                api_path(repo_id, "tag", oid),
                document={"tag": tag, "message": message},
                doing=f"tag {repo_id} with {tag}",
                needs_document=False,
            )
        except ConflictError:
            # It may be the tag of the first attempt, whose answer was lost.
            if self.tags(repo_id).get(tag) != oid:
                raise


def api_path(repo_id: str, *parts: str) -> str:
    """The path of a repo's API; a revision is one segment of it."""
    return "/".join(("/api/models", repo_id, *(quote(part, safe="") for part in parts)))
