from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from support.weights import write_safetensors

from hubpub.cli import progress
from hubpub.cli.progress import WorkProgress, progress_line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_nothing_where_nobody_watches() -> None:
    stream = io.StringIO()
    with progress_line("reading", stream) as show:
        assert show is None
    assert stream.getvalue() == ""


def test_nothing_for_what_is_done_at_once(clock: list[float]) -> None:
    stream = Terminal()
    with progress_line("reading", stream) as show:
        assert show is not None
        clock[0] += 0.9
        show(1, 2)
    assert stream.getvalue() == ""


def test_a_line_that_is_gone_at_the_end(clock: list[float]) -> None:
    stream = Terminal()
    with progress_line("reading", stream) as show:
        assert show is not None
        clock[0] += 1.1
        show(500_000_000, 2_000_000_000)
        show(600_000_000, 2_000_000_000)  # too soon after the last one
    assert stream.getvalue() == "\r\x1b[Kreading: 0.5 of 2.0 GB, 25%\r\x1b[K"


def test_it_is_gone_after_an_error(clock: list[float]) -> None:
    stream = Terminal()

    def fail() -> None:
        with progress_line("reading", stream) as show:
            assert show is not None
            clock[0] += 2
            show(1, 0)
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        fail()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_check_shows_it_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way: a terminal, the command, a folder; without patience, so that it need not be a large one."""
    write_safetensors(tmp_path / "model.safetensors", {"a.weight": ("F32", (1000, 1000))}, filled=True)
    code = (
        "import sys; from hubpub.cli import progress; progress._PATIENCE = 0\n"
        "from hubpub.cli.main import main; main(sys.argv[1:])"
    )
    ours, theirs = pty.openpty()
    try:
        command = [sys.executable, "-c", code, "check", str(tmp_path), "--deep", "--ignore", "CONF", "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, check=False)
        os.close(theirs)
        said = os.read(ours, 10_000).decode()
    finally:
        os.close(ours)
    assert done.returncode == 0, done.stdout
    assert "reading: 0.0 of 4.0 MB" in said
    assert said.endswith("\r\x1b[K")


GB = 1_000_000_000


def test_rate_and_time_left_on_a_terminal(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    stream = Terminal()
    work = WorkProgress(stream)
    work.watch("sending", 0, 4 * GB, "0 of 3 files")
    clock[0] += 1
    work.watch("sending", 50_000_000, 4 * GB, "0 of 3 files")
    assert stream.getvalue().endswith("sending: 0.1 of 4.0 GB, 1%, 0 of 3 files")  # too early for a rate
    clock[0] += 9
    work.watch("sending", GB, 4 * GB, "1 of 3 files")
    assert stream.getvalue().endswith("sending: 1.0 of 4.0 GB, 25%, 1 of 3 files, 100.0 MB/s, 30 s left")
    work.say("verified")
    assert stream.getvalue().endswith("\r\x1b[K")
    assert capsys.readouterr().err == "· verified\n"


def test_now_and_then_a_line_in_a_log(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    work = WorkProgress(io.StringIO())

    def said(seconds: float, done: float) -> str:
        clock[0] += seconds
        work.watch("sending", int(done * GB), 100 * GB, "0 of 1 files")
        return capsys.readouterr().err

    assert said(0, 0) == ""
    assert said(1, 15) == ""  # too soon, however much it is
    assert said(1, 16) == "· sending: 16.0 of 100.0 GB, 16%, 0 of 1 files, 8,000.0 MB/s, 10 s left\n"
    assert said(5, 17) == ""  # little, and not long ago
    assert said(5, 18).startswith("· sending: 18.0 of 100.0 GB, 18%")
    assert said(600, 20).endswith("MB/s, 41 min left\n")
    assert said(1, 20) == ""


def test_another_work_begins_anew(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    work = WorkProgress(io.StringIO())
    work.watch("reading", 0, GB, "")
    clock[0] += 20
    work.watch("sending", 0, GB, "0 of 1 files")
    assert capsys.readouterr().err == ""
    clock[0] += 10
    work.watch("sending", GB // 2, GB, "0 of 1 files")
    assert "50.0 MB/s, 10 s left" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("total", "shown"), [(2 * GB, "0.0 of 2.0 GB"), (91_600_000, "12.3 of 91.6 MB"), (40_000, "12.3 of 40.0 kB")]
)
def test_amounts_are_in_the_unit_that_fits(clock: list[float], total: int, shown: str) -> None:
    stream = Terminal()
    work = WorkProgress(stream)
    clock[0] += 2
    work.watch("sending", 12_300_000 if total > 1_000_000 else 12_300, total, "")
    assert shown in stream.getvalue()


@pytest.mark.parametrize(("doing", "then"), [("reading", "checking what it says"), ("sending", "waiting for the hub")])
def test_what_comes_after_the_last_byte_is_said(clock: list[float], doing: str, then: str) -> None:
    stream = Terminal()
    work = WorkProgress(stream)
    clock[0] += 2
    work.watch(doing, GB - 1, GB, "")
    work.watch(doing, GB, GB, "")  # however soon after the one before
    assert stream.getvalue().endswith(f"{doing}: 1.0 of 1.0 GB, 100%, {then}")


def test_a_line_is_not_longer_than_the_terminal_is_wide(clock: list[float]) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 30, 0, 0))
    with os.fdopen(theirs, "w") as stream:
        work = WorkProgress(stream)
        clock[0] += 2
        work.watch("sending", GB // 2, GB, "1,234 of 5,678 files")
        assert os.read(ours, 1000).decode() == "\r\x1b[Ksending: 0.5 of 1.0 GB, 50%,"
    os.close(ours)
