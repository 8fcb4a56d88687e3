"""The program that sends large files, in a process of its own that `publish/upload.py` starts.

It reads one line of JSON from stdin, and writes a line for whatever happens: `{"ready": true}` once it can begin,
`{"moved": bytes}` since the line before, with `"sent": bytes` of the group that the hub has; `{"answered": status}`;
`{"group": number}` once the hub has all files of a group; `{"error": ...}`. It ends when stdin does, which is when its
parent is gone.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hubpub.publish.refusals import requested_wait

_BLOCK = 1 << 20
# hf_xet sends 64 MiB at once. It can hold back as much of a file, and of the files before: with room for both, what
# is under way never waits for more.
_UNDER_WAY = 128 << 20
_PACK = 64 << 20
_PAUSE = 0.005
_PAUSES = 100

Say = Callable[[dict[str, Any]], None]


def main() -> None:
    """Send what stdin says."""
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        if request["xet"]:
            import hf_xet  # type: ignore[import-untyped]  # noqa: F401  it takes time

            send = _send_by_xet
        else:
            from hubpub.publish.lfs_sender import send
        _say({"ready": True})
        for number, group in enumerate(request["groups"]):
            send(request, group, _say)
            _say({"group": number})
    except Exception as error:  # whatever it was, the parent decides
        _say(_told(error))
    # Without waiting for threads of what was given up.
    os._exit(0)


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


def _say(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def _send_by_xet(request: dict[str, Any], group: list[dict[str, Any]], say: Say) -> None:
    import hf_xet

    headers = request["headers"]
    url = f"{request['endpoint']}/api/models/{request['repo_id']}/xet-write-token/{quote(request['revision'], safe='')}"
    seen = (0, 0)

    def progress(report: Any, _items: object) -> None:
        nonlocal seen
        now = (report.total_bytes_completed, report.total_transfer_bytes_completed)
        if now != seen:
            say({"sent": now[0], "moved": max(0, sum(now) - sum(seen))})
            seen = now

    with hf_xet.XetSession().new_upload_commit(
        token_refresh_url=url,
        token_refresh_headers=headers,
        # Storage has tokens of its own.
        custom_headers={name: value for name, value in headers.items() if name.lower() != "authorization"},
        progress_callback=progress,
    ) as commit:
        pace = _Pace(commit)
        for file in group:
            stream = commit.start_upload_stream(name=file["path"], sha256=file["sha256"])
            with Path(file["source"]).open("rb") as source:
                while block := source.read(_BLOCK):
                    stream.write(block)
                    pace.wait(len(block))
            stream.finish()


class _Pace:
    """Holds back what is given to an upload to what the hub takes.

    Left to itself hf_xet reads ahead of the network, and holds what it read: 0.4 GB, and more the slower the hub.
    """

    def __init__(self, commit: Any) -> None:
        self._commit = commit
        self._given = 0
        self._most = _UNDER_WAY

    def wait(self, given: int) -> None:
        """Return once little enough is under way; when nothing moves for a while, what is under way may need more."""
        self._given += given
        seen, pauses = None, 0
        while self._given - (report := self._commit.progress()).total_bytes_completed > self._most:
            now = (report.total_bytes_completed, report.total_transfer_bytes_completed)
            pauses = pauses + 1 if now == seen else 0
            if pauses == _PAUSES:
                self._most += _PACK
            seen = now
            time.sleep(_PAUSE)


def _told(error: BaseException) -> dict[str, Any]:
    """What an exception says, or the one that caused it, if that one knows the hub's status."""
    cause: BaseException | None = error
    while cause is not None:
        response = getattr(cause, "response", None)
        if response is not None:
            return {"error": str(cause), "status": response.status_code, "wait": requested_wait(response.headers)}
        cause = cause.__cause__
    return {"error": f"{type(error).__name__}: {error}"}
