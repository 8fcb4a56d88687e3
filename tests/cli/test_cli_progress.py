from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from support.weights import write_safetensors

from hubpub.cli import progress
from hubpub.cli.progress import progress_line


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
    assert "reading: 0.0 of 0.0 GB" in said
    assert said.endswith("\r\x1b[K")
