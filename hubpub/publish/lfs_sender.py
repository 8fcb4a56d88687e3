"""Sending a group of large files by git-LFS, for hubs or machines without xet: huggingface_hub's, with bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
from huggingface_hub import CommitOperationAdd, HfApi, set_client_factory
from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

_CONTENT = "PUT"


def send(request: dict[str, Any], group: list[dict[str, Any]], say: Callable[[dict[str, Any]], None]) -> None:
    """Send a group; `say` is told of whatever moves.

    Raises:
        Exception: what huggingface_hub and httpx2 raise.
    """
    disable_progress_bars()
    set_client_factory(lambda: _Watched(say, request["stall"]))
    additions = []
    for file in group:
        addition = CommitOperationAdd(path_in_repo=file["path"], path_or_fileobj=file["source"])
        addition.upload_info.sha256 = bytes.fromhex(file["sha256"])
        addition._upload_mode = "lfs"
        additions.append(addition)
    api = HfApi(endpoint=request["endpoint"], token=request["token"], library_name="hubpub")
    api.preupload_lfs_files(request["repo_id"], additions, revision=request["revision"], free_memory=False)


class _FailedError(Exception):
    """A call that is not made again here: the parent has the patience, and tells the user."""

    def __init__(self, said: str, response: httpx2.Response | None = None) -> None:
        super().__init__(said)
        if response is not None:
            self.response = response


class _Watched(httpx2.Client):
    """Says that something moves. Only the content itself is sent again here, as the parent would send all of it.

    It is the client that watches, and no transport: a client that is given one takes no proxy from the environment.
    """

    def __init__(self, say: Callable[[dict[str, Any]], None], stall: float) -> None:
        super().__init__(timeout=httpx2.Timeout(stall), follow_redirects=True)
        self._say = say

    def send(self, request: httpx2.Request, **settings: Any) -> httpx2.Response:
        """Send a request; what is no content is not sent again."""
        if isinstance(request.stream, httpx2.SyncByteStream):
            request.stream = _Counted(request.stream, self._say)
        try:
            response = super().send(request, **settings)
        except httpx2.HTTPError as error:
            if request.method == _CONTENT:
                raise
            raise _FailedError(f"{request.url.host} does not answer ({error or type(error).__name__})") from error
        if (response.status_code >= 500 and request.method != _CONTENT) or response.status_code == 429:
            raise _FailedError(f"HTTP {response.status_code}", response)
        self._say({"answered": response.status_code})
        return response


class _Counted(httpx2.SyncByteStream):
    def __init__(self, inner: httpx2.SyncByteStream, say: Callable[[dict[str, Any]], None]) -> None:
        self._inner, self._say = inner, say

    def __iter__(self) -> Iterator[bytes]:
        for block in self._inner:
            yield block
            self._say({"moved": len(block)})

    def close(self) -> None:
        self._inner.close()
