"""One HTTP call to the hub: bounded in time, and made again where that does no harm.

The session, the headers and the meaning of refusals are huggingface_hub's; its own calls have no timeout
(`default_client_factory` in https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/utils/_http.py).
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from hubpub import __version__
from hubpub.core.errors import HubError, HubpubError, UsageError
from hubpub.publish.bounds import Body, Bound, within
from hubpub.publish.refusals import RETRY_HINT, NoAnswerError, is_page, one_line, page_instead, refusal
from hubpub.publish.session import session
from hubpub.publish.target import Target

if TYPE_CHECKING:
    import httpx2

Result = TypeVar("Result")

Watch = Callable[[str, int, int, str], None]
"""Is told how far long work is: what it is, bytes done, bytes to do, and more in words."""

_MOST_PAGES = 100_000
_TELL_FROM = 1.0  # seconds; a shorter pause is not worth a line


@dataclass(frozen=True, slots=True)
class Patience:
    """How long hubpub waits for a hub, and how often it asks again; times in seconds.

    Attributes:
        connect: for a connection.
        answer: for the next byte of an answer, or for the hub to take the next byte of a request.
        commit: the same of a commit; a hub may check thousands of files before it answers.
        whole: for a call that transfers no file, from its beginning to the last byte of its answer; for a commit, from
            when the hub has all of it.
        stall: for a transfer to get on.
        least: bytes that a transfer moves within `stall` seconds; with fewer it does not get on.
        attempts: of each call, the first one included.
        pause: before the second attempt; it doubles with each, up to `longest_pause`, and varies at random.
        longest_pause: see `pause`.
        longest_wait: that the hub may ask for; if it asks for more, the command ends and says so.
    """

    connect: float = 15.0
    answer: float = 60.0
    commit: float = 300.0
    whole: float = 600.0
    stall: float = 180.0
    least: int = 65_536
    attempts: int = 6
    pause: float = 0.5
    longest_pause: float = 30.0
    longest_wait: float = 900.0

    @classmethod
    def of(cls, answer: float) -> Patience:
        """That of somebody who waits so many seconds for an answer."""
        return cls(
            connect=min(answer, cls().connect), answer=answer, commit=5 * answer, whole=10 * answer, stall=3 * answer
        )

    @classmethod
    def given(cls, timeout: float | None, attempts: int | None) -> Patience:
        """That of somebody who says how long to wait for an answer, how often to ask, or neither."""
        patience = cls() if timeout is None else cls.of(timeout)
        return patience if attempts is None else replace(patience, attempts=attempts)

    def before(self, attempt: int) -> float:
        """Seconds before an attempt; the second has number 2. At random, so that clients do not come back together."""
        return min(self.longest_pause, self.pause * 2.0 ** (attempt - 2)) * random.uniform(0.5, 1.0)  # noqa: S311


class Http:
    """Calls on one hub; every failure is a HubpubError."""

    def __init__(self, target: Target, patience: Patience, notify: Callable[[str], None]) -> None:
        """Args: `notify` is told why a call takes long; `watch`, if it is set later, how far an upload is."""
        self.endpoint = target.endpoint
        self.patience = patience
        self.notify = notify
        self.watch: Watch | None = None
        self._target = target

    @property
    def token(self) -> str | bool:
        """The token to be used now; False: nobody is signed in, whatever token this machine has."""
        renewable = self._target.renewable
        return renewable.current() if renewable else self._target.token or False

    @property
    def keyless(self) -> bool:
        """Whether the token is one of a CI job, and of nobody."""
        return self._target.renewable is not None

    @property
    def token_source(self) -> str:
        """Where the token was found, in words."""
        return self._target.token_source

    def renewed(self, refused: str | bool) -> bool:
        """Whether there is a newer token than the one that the hub has refused, because it was too old."""
        renewable = self._target.renewable
        return renewable is not None and isinstance(refused, str) and renewable.renewed(refused)

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every request; the token is among them."""
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        return dict(build_hf_headers(token=self.token, library_name="hubpub", library_version=__version__))

    def get(self, path: str, *, doing: str, params: Mapping[str, str] | None = None) -> Any:
        """The document that the hub answers with."""
        return _document(self.call("GET", path, doing=doing, params=params, needs_document=True))

    def pages(self, path: str, *, doing: str, params: Mapping[str, str] | None = None) -> Iterator[Any]:
        """The items of a listing, page by page."""
        for _ in range(_MOST_PAGES):
            answer = self.call("GET", path, doing=doing, params=params, needs_document=True)
            yield from _document(answer)
            following = answer.links.get("next", {}).get("url")
            if not following:
                return
            if not following.startswith(f"{self.endpoint}/"):
                raise HubError(f"cannot {doing}: the hub names a page of another host", "check HF_ENDPOINT")
            path, params = following.removeprefix(self.endpoint), None

    def post(self, path: str, *, doing: str, document: object, again: bool = True, needs_document: bool = True) -> Any:
        """The document that the hub answers with, or None if it answers with none.

        Args:
            path: after the endpoint.
            doing: what it is for, as the rest of "cannot ...".
            document: what is sent.
            again: whether doing it twice is as doing it once.
            needs_document: whether an empty answer means that the answer was lost.
        """
        answer = self.call("POST", path, doing=doing, document=document, again=again, needs_document=needs_document)
        return _document(answer) if answer.content else None

    def call(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        params: Mapping[str, str] | None = None,
        document: object = None,
        body: BinaryIO | None = None,
        again: bool = True,
        needs_document: bool = False,
        answer_within: float | None = None,
    ) -> httpx2.Response:
        """The hub's answer, read to its end.

        Raises:
            NoAnswerError: there was none after all attempts, or, where the call must not be repeated, after the first.
            HubpubError: the hub refuses.
        """
        return self.repeated(
            lambda: self._once(method, path, doing, params, document, body, needs_document, answer_within), again=again
        )

    def repeated(self, attempt: Callable[[], Result], *, again: bool = True) -> Result:
        """What `attempt` returns, made again while it ends in a `NoAnswerError`; pauses between."""
        for number in range(2, self.patience.attempts + 1):
            try:
                return attempt()
            except NoAnswerError as error:
                if not again and not error.untouched:
                    raise
                self.pause(number, error)
        return attempt()

    def pause(self, number: int, error: NoAnswerError) -> None:
        """Wait before attempt `number`, as long as the hub asks for.

        Raises:
            NoAnswerError: it asks for more than anybody would wait.
        """
        asked = error.wait
        if asked is None:
            wait = self.patience.before(number)
            if wait >= _TELL_FROM:
                self.notify(f"{error.message}; attempt {number} of {self.patience.attempts} in {wait:.0f} s")
        elif asked > self.patience.longest_wait:
            raise error
        else:
            wait = asked + random.uniform(0, 0.5) * self.patience.pause  # noqa: S311
            self.notify(f"the hub asks to wait {asked:,.0f} s")
        time.sleep(wait)

    def timeout(self, answer_within: float | None = None) -> httpx2.Timeout:
        """The bounds of one request on connecting, and on silence."""
        import httpx2

        return httpx2.Timeout(
            self.patience.answer, connect=self.patience.connect, read=answer_within or self.patience.answer
        )

    def _once(
        self,
        method: str,
        path: str,
        doing: str,
        params: Mapping[str, str] | None,
        document: object,
        body: BinaryIO | None,
        needs_document: bool,
        answer_within: float | None,
    ) -> httpx2.Response:
        from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

        headers = self.headers
        content: Any = None
        bound = Bound(self.patience.whole)
        if body is not None:
            bound = Bound(self.patience.stall, self.patience.least)
            content = Body(body, bound, self.patience.whole)
            headers |= {"Content-Type": "application/x-ndjson", "Content-Length": str(content.size)}
        elif document is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(document).encode()
        with self.errors(doing):
            answer = within(
                bound,
                lambda: _answer(
                    bound,
                    method,
                    self.endpoint + path,
                    params=dict(params) if params else None,
                    content=content,
                    headers=headers,
                    timeout=self.timeout(answer_within),
                ),
            )
            hf_raise_for_status(answer)
        if needs_document and is_page(answer.headers):
            found = page_instead(doing, self.endpoint)
            # A commit may have been made behind it.
            raise found if body is None else NoAnswerError(found.message, found.next_step)
        if (needs_document or answer.content) and not _is_whole(answer):
            raise NoAnswerError(f"cannot {doing}: the hub's answer is cut off", RETRY_HINT)
        return answer

    @contextmanager
    def errors(self, doing: str) -> Iterator[None]:
        """Turn what huggingface_hub and httpx raise into hubpub's errors, said in terms of `doing`."""
        import httpx2
        from huggingface_hub import errors

        try:
            yield
        except HubpubError:
            raise
        except errors.OfflineModeIsEnabled as error:
            raise UsageError(f"cannot {doing}: HF_HUB_OFFLINE is set", "unset HF_HUB_OFFLINE") from error
        except errors.HfHubHTTPError as error:
            raise refusal(doing, error, self.endpoint, self._target.token_source) from error
        except (httpx2.HTTPError, OSError) as error:
            raise NoAnswerError(
                f"cannot {doing}: {self.endpoint} does not answer ({one_line(error) or type(error).__name__})",
                "check the address, the network and the proxy, then run the same command again",
                untouched=isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout),
            ) from error


def _answer(bound: Bound, method: str, url: str, **how: Any) -> httpx2.Response:
    """The answer to a request, read to its end; the reading ends when the time is up, whoever still waits for it."""
    import httpx2

    with session().stream(method, url, **how) as answer:
        content = b"".join(bound.received(answer.iter_raw()))
        return httpx2.Response(answer.status_code, headers=answer.headers, content=content, request=answer.request)


def _is_whole(answer: httpx2.Response) -> bool:
    """Whether an answer that calls itself JSON is."""
    if "json" not in answer.headers.get("content-type", ""):
        return True
    try:
        json.loads(answer.content)
    except ValueError:
        return False
    return True


def _document(answer: httpx2.Response) -> Any:
    try:
        return json.loads(answer.content)
    except ValueError as error:
        raise HubError("the hub's answer is not JSON", "check that the address is that of a hub") from error
