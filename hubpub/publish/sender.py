"""The program that sends large files: `python -m hubpub.publish.sender`, started by `publish/upload.py`.

It reads one line of JSON from stdin, and writes a line for whatever moves: `{"sent": bytes}`, `{"group": number}` once
the hub has all files of a group, `{"error": ...}`. It ends when stdin does, which is when its parent is gone.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from hubpub.publish.refusals import requested_wait

Say = Callable[[dict[str, Any]], None]


def main() -> None:
    """Send what stdin says."""
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        if request["xet"]:
            send = _send_by_xet
        else:
            from hubpub.publish.lfs_sender import send
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
    import hf_xet  # type: ignore[import-untyped]

    headers = request["headers"]
    url = f"{request['endpoint']}/api/models/{request['repo_id']}/xet-write-token/{quote(request['revision'], safe='')}"
    seen = (-1, -1)

    def progress(report: Any, _items: object) -> None:
        nonlocal seen
        now = (report.total_bytes_completed, report.total_transfer_bytes_completed)
        if now != seen:
            seen = now
            say({"sent": now[0]})

    with hf_xet.XetSession().new_upload_commit(
        token_refresh_url=url,
        token_refresh_headers=headers,
        # Storage has tokens of its own.
        custom_headers={name: value for name, value in headers.items() if name.lower() != "authorization"},
        progress_callback=progress,
    ) as commit:
        for file in group:
            commit.start_upload_file(file["source"], sha256=file["sha256"])


def _told(error: BaseException) -> dict[str, Any]:
    """What an exception says, or the one that caused it, if that one knows the hub's status."""
    cause: BaseException | None = error
    while cause is not None:
        response = getattr(cause, "response", None)
        if response is not None:
            return {"error": str(cause), "status": response.status_code, "wait": requested_wait(response.headers)}
        cause = cause.__cause__
    return {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    main()
