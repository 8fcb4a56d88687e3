"""One request as the handlers see it: who asks, for what, and with which body."""

from __future__ import annotations

import base64
import json
from functools import cached_property
from typing import Any, BinaryIO, Protocol
from urllib.parse import parse_qs, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from hubpub.hub.access.accounts import Identity
from hubpub.hub.access.permissions import Action, blocked_by_policy, may, policy_refusal, why_not
from hubpub.hub.errors import (
    ApiError,
    bad_request,
    forbidden,
    gated_repo,
    not_signed_in,
    repo_not_found,
    too_large,
    unknown_token,
)
from hubpub.hub.naming import RepoId, RepoKind, repo_id
from hubpub.hub.state import HubState
from hubpub.hub.store.repos import AccessStatus, RepoRecord
from hubpub.hub.web.direct import SocketBody
from hubpub.hub.web.http_protocol import connection_of

_KINDS = {kind.plural: kind for kind in RepoKind}


class Digest(Protocol):
    """A hash that is fed bit by bit, of hashlib or blake3."""

    def update(self, data: bytes | memoryview, /) -> object:
        """Take in more data."""


class Call:
    """A request to this hub.

    Attributes:
        request: as Starlette has it.
        state: the hub's services.
        params: the parameters of the matched path, decoded.
        body: the whole body, of requests whose handler runs in a thread.
    """

    def __init__(self, request: Request, state: HubState, params: dict[str, str]) -> None:
        self.request = request
        self.state = state
        self.params = params
        self.body = b""
        self._takes_basic = False

    # Where

    @cached_property
    def endpoint(self) -> str:
        """The hub's address as this client knows it; addresses in answers must have the same host."""
        host = self.request.headers.get("host", "")
        public = self.state.config.public_url
        if public is not None and urlsplit(public).netloc == host:
            return public.rstrip("/")
        return f"{self.request.url.scheme}://{host}"

    # Who

    @cached_property
    def bearer(self) -> str | None:
        """The token that came with the request."""
        scheme, _, token = self.request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic" and self._takes_basic:
            return _password(token.strip())
        return token.strip() if scheme.lower() == "bearer" and token.strip() else None

    @cached_property
    def who(self) -> Identity | None:
        """Who asks; None if nobody is signed in.

        Raises:
            ApiError: 401 for a token that the hub does not know.
        """
        if self.bearer is None:
            return None
        identity = self.state.accounts.identify(self.bearer)
        if identity is None:
            raise unknown_token(self.state.accounts.why_refused(self.bearer))
        return identity

    def signed_in(self) -> Identity:
        """Who asks.

        Raises:
            ApiError: 401 if nobody is signed in.
        """
        if self.who is None:
            raise not_signed_in()
        return self.who

    # What

    @cached_property
    def repo_id(self) -> RepoId:
        """The repo that the path names.

        Raises:
            ApiError: RepoNotFound if no repo can be called that.
        """
        kind = _KINDS[self.params.get("kind", RepoKind.MODEL.plural)]
        found = repo_id(kind, self.params["ns"], self.params["name"])
        if found is None:
            raise repo_not_found(signed_in=self.who is not None)
        return found

    def repo(self, action: Action) -> RepoRecord:
        """The record of the repo that the path names, if the caller may do `action`.

        Raises:
            ApiError: 404 or 401 RepoNotFound if it is not there or the caller may not know of it; 401 or 403 if
                the caller may see it but not do that; 307 if it has another name now.
        """
        record = self.state.repos.get(self.repo_id)
        if record is None:
            moved = self.state.repos.moved(self.repo_id)
            if moved is not None and may(self.state.accounts, self.who, Action.SEE, moved):
                raise ApiError(307, f"The repo is called {moved.id} now", headers={"Location": self._address_in(moved)})
        return self.allowed(record, action)

    def _address_in(self, moved: RepoRecord) -> str:
        """This request's path, with query, for a repo that has got another name."""
        raw: bytes = self.request.scope.get("raw_path") or self.request.url.path.encode()
        parts = raw.split(b"?")[0].decode("ascii", "replace").split("/")
        place = 3 if parts[1] == "api" else 2 if "kind" in self.params else 1
        suffix = ".git" if parts[place + 1].endswith(".git") else ""
        parts[place : place + 2] = [moved.id.namespace, moved.id.name + suffix]
        query = self.request.url.query
        return "/".join(parts) + (f"?{query}" if query else "")

    def repo_for_git(self, action: Action) -> RepoRecord:
        """As `repo`, for git and git-lfs: these send the token as the password of HTTP Basic, once they are asked to.

        Other calls do not take Basic, because browsers send it along with whatever a page of another site asks for.
        """
        self._takes_basic = True
        try:
            return self.repo(action)
        except ApiError as error:
            if error.status == 401:
                error.headers["WWW-Authenticate"] = 'Basic realm="hubpub hub: your user name, and a token as password"'
            raise

    def allowed(self, record: RepoRecord | None, action: Action) -> RepoRecord:
        """As `repo`, for a record that was looked up already."""
        who, accounts = self.who, self.state.accounts
        if record is not None and may(accounts, who, action, record):
            return record
        if record is not None and blocked_by_policy(accounts, who, action, record):
            raise policy_refusal(record.id.namespace)
        if record is None or not may(accounts, who, Action.SEE, record):
            raise repo_not_found(signed_in=who is not None)
        if action is Action.READ and record.gated:
            entry = record.access.get(who.user.name) if who else None
            pending = entry is not None and entry["status"] == AccessStatus.PENDING
            raise gated_repo(f"{record.id.kind.value} {record.id}", signed_in=who is not None, pending=pending)
        if who is None:
            raise not_signed_in()
        raise forbidden(why_not(accounts, who, action, record))

    # Query and body

    def query(self, name: str, default: str = "") -> str:
        """A parameter of the query string."""
        if not self.request.scope["query_string"]:
            return default
        return self.request.query_params.get(name, default)

    def flag(self, name: str) -> bool:
        """Whether a parameter of the query string is true."""
        return self.query(name).lower() in {"1", "true"}

    def number(self, name: str, default: int, most: int) -> int:
        """A parameter of the query string between 0 and `most`.

        Raises:
            ApiError: 400 if it is no number.
        """
        text = self.query(name, str(default))
        if not text.isascii() or not text.isdecimal():
            raise bad_request(f"{name} is not a number")
        return min(int(text[:18]), most)

    def json(self) -> dict[str, Any]:
        """The body, which is a JSON object; an empty body is an empty object.

        Raises:
            ApiError: 400 if it is anything else.
        """
        try:
            document = json.loads(self.body or b"{}")
        except (ValueError, RecursionError):
            raise bad_request("The body is not valid JSON") from None
        if not isinstance(document, dict):
            raise bad_request("The body is not a JSON object")
        return document

    def form_or_json(self) -> dict[str, Any]:
        """The body, which is a form (each value a list of strings) or a JSON object.

        Raises:
            ApiError: 400 if it is neither.
        """
        if "json" in self.request.headers.get("content-type", ""):
            return self.json()
        try:
            return dict(parse_qs(self.body.decode("utf-8"), keep_blank_values=True, max_num_fields=20_000))
        except ValueError:
            raise bad_request("The body is not a form") from None

    def text(self, document: dict[str, Any], key: str, default: str | None = None) -> str:
        """A text in a JSON object.

        Raises:
            ApiError: 400 if it is not there or no text.
        """
        value = document.get(key, default)
        if not isinstance(value, str):
            raise bad_request(f"{key} is not a string")
        return value

    async def read_body(self, limit: int) -> bytes:
        """The whole body.

        Raises:
            ApiError: 413 if it is larger than `limit` bytes.
        """
        parts = bytearray()
        async for part in self.request.stream():
            parts += part
            if len(parts) > limit:
                raise too_large(f"The body is larger than {limit} bytes")
        return bytes(parts)

    async def spool(self, file: BinaryIO, limit: int, digest: Digest | None = None) -> None:
        """Write the body into `file`, and feed it to `digest`.

        Raises:
            ApiError: 413 if it is larger than `limit` bytes.
            OSError: the disk is full, say.
        """

        def write(block: bytes | memoryview) -> None:
            if digest is not None:
                digest.update(block)
            file.write(block)

        def write_all(body: SocketBody) -> None:
            for block in body.blocks():
                write(block)

        announced = self.request.headers.get("content-length", "0")
        if int(announced) > limit:
            raise too_large(f"The body is larger than {limit} bytes")
        connection = connection_of(self.request.scope)
        if await connection.take_body(self.state.transfers, write_all) is not None:
            return
        total = 0
        failure: OSError | None = None
        async for part in self.request.stream():
            total += len(part)
            if total > limit:
                raise too_large(f"The body is larger than {limit} bytes")
            if failure is None:
                try:
                    await run_in_threadpool(write, part)
                except OSError as error:
                    # Clients hear of it only once they have sent all.
                    failure = error
        if failure is not None:
            raise failure


def _password(credentials: str) -> str:
    """The password of HTTP Basic credentials, or the user name if there is none: either way a token.

    Raises:
        ApiError: 401 if they are malformed.
    """
    try:
        user, _, password = base64.b64decode(credentials, validate=True).decode("utf-8").partition(":")
    except ValueError:
        raise unknown_token() from None
    return password or user
