"""Sending large files, by a child process that is ended when nothing moves any more.

huggingface_hub and hf_xet wait without bound when a hub stalls, and neither can be told to stop: a process can. It is
also the one that holds their memory. What arrived before it ended is not sent again: hf_xet remembers it, and so does
the hub.
"""

from __future__ import annotations

import importlib.util
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any

from hubpub.core.errors import AuthError, HubError, UsageError
from hubpub.core.wording import counted
from hubpub.publish.bounds import Bound
from hubpub.publish.http import Http
from hubpub.publish.local import LocalFile
from hubpub.publish.refusals import RETRY_HINT, NoAnswerError, one_line, upload_failure

_GROUP_FILES = 100
_GROUP_BYTES = 20_000_000_000
_STARTS_WITHIN = 120.0
_ENDED: dict[str, Any] = {}
_CODE = Path(__file__).parents[2]
_SENDER = "import sys; sys.path.append(sys.argv[1]); from hubpub.publish.sender import main; main()"
# hf_xet holds a block of 64 MiB for each upload and file that it works on at once: 0.9 GB where it has its way. What
# waits to be sent is bounded by the sender.
_LITTLE_MEMORY = {
    "HF_XET_CLIENT_AC_MAX_UPLOAD_CONCURRENCY": "2",
    "HF_XET_DATA_MAX_CONCURRENT_FILE_INGESTION": "1",
    # Of glibc: what was freed goes back to the system, and is not kept by each of its threads.
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(32 << 20),
}


def upload(http: Http, repo_id: str, revision: str, files: Sequence[LocalFile]) -> None:
    """Send the content of large files, group by group; a group that fails is sent again, the others are not.

    Raises:
        HubError: the hub or the network failed, again and again.
        AuthError: the token may not upload.
    """
    if not files:
        return
    tell = _Told(http, files)
    with ExitStack() as stack:
        left = [[_described(file, stack) for file in group] for group in groups(files)]
        environment = _environment(stack)
        failures = 0
        while left:
            before = len(left)
            token = http.token
            try:
                _send(http, repo_id, revision, left, tell, environment)
            except AuthError:
                if not http.renewed(token):
                    raise
            except NoAnswerError as error:
                failures = 1 if len(left) < before else failures + 1
                if failures == http.patience.attempts:
                    raise
                http.pause(failures + 1, error)


def groups(files: Sequence[LocalFile]) -> Iterator[list[LocalFile]]:
    """The files in groups that are bounded in number and bytes, so that a failure costs little."""
    group: list[LocalFile] = []
    size = 0
    for file in files:
        if group and (len(group) == _GROUP_FILES or size + file.size > _GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append(file)
        size += file.size
    if group:
        yield group


def _described(file: LocalFile, stack: ExitStack) -> dict[str, Any]:
    source = file.source
    if isinstance(source, bytes):
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="hubpub-"))
        content, source = source, str(Path(folder).absolute() / "content")
        Path(source).write_bytes(content)
    return {"path": file.path, "source": source, "sha256": file.sha256, "size": file.size}


class _Told:
    """Tells whoever watches how far it is; what was sent before, and is sent again, counts once."""

    def __init__(self, http: Http, files: Sequence[LocalFile]) -> None:
        self._http = http
        self._total, self._files = sum(file.size for file in files), len(files)
        self._done, self._done_files = 0, 0

    def sent(self, size: int) -> None:
        """So many bytes of the present group."""
        if self._http.watch is not None:
            done = min(self._done + size, self._total)
            self._http.watch("sending", done, self._total, f"{self._done_files:,} of {counted(self._files, 'file')}")

    def finished(self, group: list[dict[str, Any]]) -> None:
        """The hub has the group."""
        self._done += sum(file["size"] for file in group)
        self._done_files += len(group)
        self.sent(0)


def _environment(stack: ExitStack) -> dict[str, str]:
    """That of the child: what huggingface_hub and hf_xet read of it, they read at import."""
    # huggingface_hub takes xet wherever it is installed.
    return _LITTLE_MEMORY | os.environ | (_xet_cache(stack) if _has_xet() else {"HF_HUB_DISABLE_XET": "1"})


def _xet_cache(stack: ExitStack) -> dict[str, str]:
    """A throw-away cache for hf_xet where it cannot write to its own, as in a container whose home is read-only."""
    from huggingface_hub import constants

    try:
        own = Path(constants.HF_XET_CACHE)
        own.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=own):
            return {}
    except OSError:
        made = tempfile.TemporaryDirectory(prefix="hubpub-xet-", ignore_cleanup_errors=True)
        return {"HF_XET_CACHE": stack.enter_context(made)}


def _send(
    http: Http,
    repo_id: str,
    revision: str,
    left: list[list[dict[str, Any]]],
    tell: _Told,
    environment: dict[str, str],
) -> None:
    """Send the groups, and take each from `left` once the hub has it."""
    doing = f"upload to {repo_id}"
    request = {
        "endpoint": http.endpoint,
        "repo_id": repo_id,
        "revision": revision,
        "token": http.token,
        "headers": http.headers,
        "groups": left,
        "stall": http.patience.stall,
        "xet": _has_xet(),
    }
    with _started(doing, environment) as child:
        try:
            said = _listen(child.stdout)
            complaints = _listen(child.stderr, last=20)
            _ask(child.stdin, request)
            bound = Bound(_STARTS_WITHIN)
            while True:
                try:
                    news = said.get(timeout=max(0.0, bound.left))
                except queue.Empty:
                    raise NoAnswerError(f"cannot {doing}: {bound.exceeded()}", RETRY_HINT) from None
                if news is None:
                    words = one_line(" ".join(_drained(complaints))) or "no words"
                    raise NoAnswerError(f"cannot {doing}: the upload ended by itself ({words})", RETRY_HINT)
                event = _event(news)
                if "error" in event:
                    raise _failure(doing, event)
                if isinstance(event.get("sent"), int):
                    tell.sent(event["sent"])
                if event.get("moved"):
                    bound.moved(event["moved"])
                elif event.keys() & {"ready", "answered", "group"}:
                    bound = Bound(http.patience.stall, http.patience.least)
                if "group" in event:
                    tell.finished(left.pop(0))
                    if not left:
                        return
        finally:
            child.kill()


def _started(doing: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    # -P: the working directory may be the model folder, and no hf_xet.py in it may run, least of all with the token.
    command = [sys.executable, "-P", "-c", _SENDER, str(_CODE)]
    try:
        return subprocess.Popen(  # noqa: S603 -- this Python, and nothing that a model folder says
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise UsageError(
            f"cannot {doing}: no process can be started for it: {error.strerror}",
            "look at the limits of processes and memory, then run the same command again",
        ) from error


def _has_xet() -> bool:
    from huggingface_hub import constants

    return not constants.HF_HUB_DISABLE_XET and importlib.util.find_spec("hf_xet") is not None


def _failure(doing: str, event: dict[str, Any]) -> Exception:
    said = str(event["error"])
    if "status" not in event:
        return upload_failure(doing, said)
    if event["status"] in (401, 402, 403):
        return upload_failure(doing, f"{event['status']}: {said}")
    wait = event.get("wait")
    if 400 <= event["status"] < 500 and event["status"] not in (408, 425, 429):
        return HubError(f"cannot {doing}: {one_line(said)}", RETRY_HINT)
    return NoAnswerError(f"cannot {doing}: {one_line(said)}", RETRY_HINT, wait=wait)


def _ask(pipe: IO[str] | None, request: dict[str, Any]) -> None:
    # The pipe stays open: when this process is gone, however it went, the child learns it from there.
    if pipe is not None:
        with suppress(BrokenPipeError):
            pipe.write(json.dumps(request) + "\n")
            pipe.flush()


def _listen(pipe: IO[str] | None, last: int = 0) -> queue.Queue[str | None]:
    """The lines that come through a pipe, then None; with `last`, no more than so many are kept."""
    lines: queue.Queue[str | None] = queue.Queue()

    def run() -> None:
        with suppress(ValueError, OSError):
            for line in pipe or ():
                if last and lines.qsize() >= last:
                    lines.get_nowait()
                lines.put(line)
        lines.put(None)

    threading.Thread(target=run, daemon=True).start()
    return lines


def _drained(lines: queue.Queue[str | None]) -> Iterator[str]:
    with suppress(queue.Empty):
        while (line := lines.get(timeout=1)) is not None:
            yield line


def _event(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return _ENDED  # something else that writes to stdout
    return found if isinstance(found, dict) else _ENDED
