"""Refusals, with the status, `X-Error-Code` and `X-Error-Message` that the Hub's clients look at.

`huggingface_hub.errors.hf_raise_for_status` tests the code before the status, and on plain http a 401 means
RepositoryNotFoundError only with a code, so no refusal about a repo goes out without one.
"""

from __future__ import annotations

from collections.abc import Mapping


class ApiError(Exception):
    """A request that the hub refuses.

    Attributes:
        status: of the HTTP answer.
        message: one sentence for the user, sent as `X-Error-Message` and in the body.
        code: `X-Error-Code`, when clients map one to an exception.
        headers: further headers of the answer.
        body: further members of the JSON body.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = dict(headers or {})
        self.body = dict(body or {})


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, message)


def forbidden(message: str) -> ApiError:
    """403: the token is known and may not do this."""
    return ApiError(403, message)


def too_large(message: str) -> ApiError:
    """413."""
    return ApiError(413, message)


def not_signed_in() -> ApiError:
    """401: the request needs a token and has none."""
    return ApiError(401, "Invalid username or password.")


def unknown_token(why: str = "") -> ApiError:
    """401 with the one message that keeps clients from reading it as a missing repo; the body says `why`."""
    message = "Invalid credentials in Authorization header"
    return ApiError(401, message, body={"error": f"{message}: {why}"} if why else None)


def repo_not_found(*, signed_in: bool) -> ApiError:
    """A repo that is not there, or that the caller may not know of: the two look the same."""
    if signed_in:
        return ApiError(404, "Repository not found", code="RepoNotFound")
    return ApiError(401, "Invalid username or password.", code="RepoNotFound")


def gated_repo(repo: str, *, signed_in: bool, pending: bool = False) -> ApiError:
    """A repo whose page everybody sees and whose files only some may read; `repo` is such as `model acme/m`."""
    if not signed_in:
        message = f"Access to {repo} is restricted. You must have access to it and be authenticated. Please log in."
    elif pending:
        message = f"Your request to access {repo} is awaiting a review from the repo authors."
    else:
        message = f"Access to {repo} is restricted and you are not in the authorized list."
    return ApiError(403 if signed_in else 401, message, code="GatedRepo")


def revision_not_found(revision: str) -> ApiError:
    """No branch, tag or commit of that name."""
    return ApiError(404, f"Invalid rev id: {revision}", code="RevisionNotFound")


def entry_not_found(path: str, commit: str | None = None) -> ApiError:
    """No file at that path; with the commit, so that clients can cache the absence."""
    headers = {"X-Repo-Commit": commit} if commit else {}
    return ApiError(404, "Entry not found", code="EntryNotFound", headers=headers, body={"path": path})
