"""The content of one file of a hub, block by block; a download that breaks off goes on where it was."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

from hubpub.core.errors import HubError, VerificationError
from hubpub.publish.bounds import Bound, within
from hubpub.publish.http import Http
from hubpub.publish.session import session

_BLOCK = 1 << 20
_WHOLE = 200
_RANGE_NOT_SATISFIABLE = 416
_ATTEMPTS = 4
# What a hub or its storage answers for a file that is lost or locked; other failures are of the moment.
_FAILED = 500
_NOT_SERVED = {403, 404, 410, _FAILED}


class NotServedError(VerificationError):
    """The hub lists a file and does not hand it out."""


class _StorageError(VerificationError):
    """The hub failed to hand out a file; it may do so the next time."""


def download(http: Http, repo_id: str, path: str, revision: str) -> Iterator[bytes]:
    """The content of one file.

    Raises:
        NotServedError: the hub lists the file and does not hand it out.
        HubError: the hub or the network failed, again and again.
    """
    from huggingface_hub import hf_hub_url

    url = hf_hub_url(repo_id, path, revision=revision, endpoint=http.endpoint)
    done = failures = 0
    while True:
        begun = done
        try:
            with http.errors(f"read {path} of {repo_id}"):
                for chunk in _from(http, url, done):
                    done += len(chunk)
                    yield chunk
            return
        except (HubError, _StorageError) as error:
            failures = 1 if done - begun >= _BLOCK else failures + 1
            if failures == _ATTEMPTS:
                if isinstance(error, _StorageError):
                    raise NotServedError(error.message, error.next_step) from error
                raise
            time.sleep(http.patience.before(failures + 1))


def _from(http: Http, url: str, start: int) -> Iterator[bytes]:
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

    # Ranges count the bytes of the file, so it must come as it is.
    headers = http.headers | {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    client = session()
    request = client.build_request("GET", url, headers=headers, timeout=http.timeout())
    bound = Bound(http.patience.stall, http.patience.least)
    response = within(
        bound, lambda: client.send(request, stream=True, follow_redirects=True), let_go=lambda late: late.close()
    )
    with closing(response):
        if start and response.status_code == _RANGE_NOT_SATISFIABLE:
            return  # all of it had come
        if response.status_code in _NOT_SERVED:
            kind = _StorageError if response.status_code == _FAILED else NotServedError
            raise kind(f"cannot be fetched: HTTP {response.status_code}", "publish the file again")
        hf_raise_for_status(response)
        skip = start if response.status_code == _WHOLE else 0
        for chunk in bound.received(response.iter_bytes()):
            if skip < len(chunk):
                yield chunk[skip:]
            skip = max(0, skip - len(chunk))
