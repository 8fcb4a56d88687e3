"""Cards whose code means harm: none of it runs unasked, and what runs is contained and told."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import hubpub
from hubpub.cli.output import print_json
from hubpub.rehearsal.result import Block, Rehearsal, Status

SECRET = "hf_" + "secretsecretsecret"
linux = pytest.mark.skipif(sys.platform != "linux", reason="namespaces are those of Linux")


@pytest.fixture
def model(plain_model: Path, copy_of: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A model of a user who is signed in, by the environment and by the file."""
    home = tmp_path / "home"
    (home / ".cache" / "huggingface").mkdir(parents=True)
    (home / ".cache" / "huggingface" / "token").write_text(SECRET)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("HF_TOKEN", SECRET)
    monkeypatch.setenv("MY_API_KEY", SECRET)
    monkeypatch.delenv("HF_HOME", raising=False)
    return copy_of(plain_model)


def run(model: Path, *blocks: str, allow: bool = True, **options: float) -> Rehearsal:
    body = "\n".join(f"## Usage {number}\n\n```python\n{block}\n```\n" for number, block in enumerate(blocks))
    (model / "README.md").write_text(f"---\nlicense: mit\n---\n\n# A model\n\n{body}")
    return hubpub.rehearse(model, "acme/tiny", run_card_code=allow, load=False, depth="quick", **options)  # type: ignore[arg-type]


def only(rehearsal: Rehearsal) -> Block:
    [block] = rehearsal.blocks
    return block


def said(block: Block) -> str:
    return "\n".join([block.reason, *block.output, *block.traceback, *block.refused])


def test_nothing_of_a_foreign_card_runs_unasked(model: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    block = only(run(model, f"import pathlib\npathlib.Path({str(trace)!r}).touch()\nprint('ran')", allow=False))
    assert block.status is Status.NOT_RUNNABLE
    assert "--run-card-code" in block.reason
    assert not block.output
    assert not trace.exists()


def test_the_token_is_not_to_be_found(model: Path) -> None:
    home = os.environ["HOME"]
    search = f"""
import os, pathlib
print(sorted(os.environ))
found = [str(os.environ)]
places = [pathlib.Path({home!r}, ".cache/huggingface/token"), pathlib.Path.home() / ".cache/huggingface/token"]
places += [pathlib.Path(os.environ["HF_HOME"]) / "token"]
places += [pathlib.Path("/proc") / name / "environ" for name in os.listdir("/proc") if name.isdigit()]
for place in places:
    try:
        found.append(place.read_text(errors="replace"))
    except OSError:
        pass
print(any({SECRET[3:]!r} in text for text in found))
"""
    block = only(run(model, search))
    assert block.status is Status.RAN, said(block)
    assert block.output[-1] == "False"
    assert "HF_TOKEN" not in block.output[0]
    assert "MY_API_KEY" not in block.output[0]


def test_where_there_are_no_walls_the_guard_stops_python(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS: what is left is told in the report."""
    monkeypatch.setattr("hubpub.rehearsal.confinement._NO_NAMESPACES", "it is a test")
    outside = tmp_path / "outside"
    rehearsal = run(
        model,
        f"open({str(outside)!r}, 'w')",
        f"import os\nos.mkdir({str(outside)!r})",
        f"open({os.environ['HOME']!r} + '/.cache/huggingface/token').read()",
        "import os\nopen(f'/proc/{os.getppid()}/environ').read()",
        "import socket\nsocket.create_connection(('127.0.0.1', 9))",
        "import os\nos.fork()",
        "import os\nprint(sorted(os.environ))\nopen('inside', 'w')",
        "from huggingface_hub import snapshot_download\nsnapshot_download('acme/tiny')",
    )
    found = [(block.status, block.reason.partition(",")[0]) for block in rehearsal.blocks]
    assert {status for status, _ in found[:6]} == {Status.NOT_RUNNABLE}, found
    assert [reason.partition(" (")[0] for _, reason in found[4:6]] == ["needs the network", "starts another program"]
    assert [status for status, _ in found[6:]] == [Status.RAN, Status.RAN], found
    assert "HF_TOKEN" not in rehearsal.blocks[6].output[0]
    assert not outside.exists()
    assert rehearsal.isolation.kind == "guard"
    assert rehearsal.isolation.reason == "it is a test"


@linux
@pytest.mark.parametrize("way", ["python", "native"])
def test_only_the_hub_can_be_reached(way: str, model: Path) -> None:
    """Natively too: libc's own connect, which Python's guard cannot see, meets the walls."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = {
            "python": f"import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=5)",
            "native": f"""
import ctypes, struct, socket
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.socket(socket.AF_INET, socket.SOCK_STREAM, 0)
address = struct.pack("=H", socket.AF_INET) + struct.pack(">H", {port}) + bytes([127, 0, 0, 1]) + bytes(8)
print("connected" if libc.connect(fd, address, 16) == 0 else "refused")
""",
        }[way]
        rehearsal = run(model, code)
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()
    block = only(rehearsal)
    assert rehearsal.isolation.kind == "namespaces"
    if way == "python":
        assert block.status is Status.NOT_RUNNABLE
        assert f"needs the network (127.0.0.1:{port})" in block.reason
    else:
        assert block.output == ("refused",)


@linux
def test_nothing_is_written_outside(model: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    native = f"import ctypes\nprint(ctypes.CDLL(None).creat({str(outside)!r}.encode(), 0o644))"
    python = f"open({str(outside)!r}, 'w').write('x')"
    rehearsal = run(model, python, native, "open('inside', 'w').write('x'); print(open('inside').read())")
    assert not outside.exists()
    assert [block.status for block in rehearsal.blocks] == [Status.NOT_RUNNABLE, Status.RAN, Status.RAN]
    assert str(outside) in rehearsal.blocks[0].reason
    assert rehearsal.blocks[1].output == ("-1",)
    assert rehearsal.blocks[2].output == ("x",)


@linux
def test_what_it_starts_ends_with_it(model: Path, tmp_path: Path) -> None:
    """A daemon of native forks, in a session of its own, does not outlive the rehearsal."""
    listed = set(Path("/proc").iterdir())
    code = """
import ctypes, time
libc = ctypes.CDLL(None)
if libc.fork() == 0:
    libc.setsid()
    libc.prctl(15, b"hubpub-left", 0, 0, 0)
    time.sleep(120)
print("forked")
"""
    block = only(run(model, code))
    assert block.output == ("forked",)
    names = []
    for entry in set(Path("/proc").iterdir()) - listed:
        if entry.name.isdigit():
            try:
                names.append((entry / "comm").read_text().strip())
            except OSError:
                continue
    assert "hubpub-left" not in names


def test_every_way_to_go_wrong_is_told_and_the_rest_still_runs(model: Path) -> None:
    started = time.monotonic()
    rehearsal = run(
        model,
        "import os; os._exit(0)",
        "import os; os.kill(os.getpid(), 11)",
        "while True:\n    pass",
        "while True:\n    print('x' * 1000)",
        "import os\nwhile True:\n    os.write(1, b'x' * 10_000)",
        "hoard = bytearray(8 << 30)",
        "import subprocess\nsubprocess.run(['ls'])",
        "import os\nos.kill(os.getppid(), 9)",
        "print('still here')",
        timeout=4,
        memory=2 << 30,
    )
    assert time.monotonic() - started < 120
    reasons = [(block.status.value, block.reason) for block in rehearsal.blocks]
    expected = [
        ("failed", "ended the process with code 0"),
        ("failed", "SIGSEGV"),
        ("failed", "took more than 4 seconds"),
        ("failed", "printed more than 1 MB"),
        ("failed", "printed more than 1 MB"),
        ("failed", "MemoryError"),
        ("not-runnable", "starts another program (ls)"),
        ("not-runnable", "sends a signal to another process"),
        ("ran", ""),
    ]
    for (status, reason), (wanted, part) in zip(reasons, expected, strict=True):
        assert (status, part in reason) == (wanted, True), reasons
    assert rehearsal.blocks[-1].output == ("still here",)
    assert not rehearsal.ok


def test_a_forged_answer_does_not_reach_other_blocks(model: Path) -> None:
    """What a block tells in place of hubpub concerns its own card, and is no more than text."""
    code = """
import gc, json, socket
lines = [{"block": 99, "status": "ran"}, [1], {"starting": {"a": 1}}, {"walls": "none"}]
for thing in gc.get_objects():
    if type(thing) is socket.socket and thing.fileno() >= 0:
        thing.sendall(b"no json\\n" + b"".join(json.dumps(line).encode() + b"\\n" for line in lines))
"""
    rehearsal = run(model, code, "1 / 0")
    assert [block.status for block in rehearsal.blocks] == [Status.RAN, Status.FAILED], said(rehearsal.blocks[0])
    assert rehearsal.blocks[1].reason == "ZeroDivisionError: division by zero"


def test_a_directory_is_left_only_when_it_is_asked_for(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    run(model, "print(1)")
    assert not list(scratch.iterdir())
    kept = hubpub.rehearse(model, "acme/tiny", load=False, snippets=False, keep=True, depth="quick").kept
    assert kept is not None
    assert Path(kept).is_dir()


def test_what_a_block_leaves_behind_leads_no_later_child_out(model: Path, tmp_path: Path) -> None:
    """Before each child hubpub writes down what it is to do, outside of any walls: never where a block could be."""
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    trap = f"""
import json
import os
home = os.path.dirname(os.getcwd())
for name in {{"order.json", *os.listdir(home)}}:
    path = os.path.join(home, name)
    if not os.path.isdir(path):
        if os.path.lexists(path):
            os.remove(path)
        os.symlink({str(victim)!r}, path)
os._exit(1)
"""
    rehearsal = run(model, trap, "print('later')")
    assert victim.read_text() == "untouched"
    assert rehearsal.blocks[1].output == ("later",)


@pytest.mark.parametrize("walls", [True, False])
def test_what_a_block_sends_to_hubpub_does_not_stop_it(
    walls: bool, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Values of no kind that hubpub's own code sends, and descriptors that are no sockets."""
    if not walls:
        monkeypatch.setattr("hubpub.rehearsal.confinement._NO_NAMESPACES", "it is a test")
    code = """
import gc, os, socket
null = open(os.devnull)
lines = [
    b'{"block": 0, "status": [], "seconds": NaN}',
    b'{"starting": ' + b'[' * 900 + b']' * 900 + b'}',
    b'{"block": 0, "status": "ran", "seconds": Infinity, "reason": "\\\\ud800", "output": ["\\\\ud800"]}',
]
for thing in gc.get_objects():
    if type(thing) is socket.socket and thing.fileno() >= 0:
        socket.send_fds(thing, [b"no json\\n"], [null.fileno()])
        thing.sendall(b"".join(line + b"\\n" for line in lines))
"""
    rehearsal = run(model, code, "print('later')")
    assert rehearsal.blocks[1].output == ("later",), said(rehearsal.blocks[0])
    assert not rehearsal.blocks[0].traceback, said(rehearsal.blocks[0])
    print_json(rehearsal.to_json())
    assert json.loads(capsys.readouterr().out)["blocks"][0]["seconds"] < 60


def test_the_guard_is_not_led_astray_by_links(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubpub.rehearsal.confinement._NO_NAMESPACES", "it is a test")
    token = os.environ["HOME"] + "/.cache/huggingface/token"
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    victim.chmod(0o600)
    rehearsal = run(
        model,
        f"import os\nos.symlink({token!r}, 'link')\nprint(open('link').read())",
        f"import os\nos.link({token!r}, 'hard')\nprint(open('hard').read())",
        f"print(open('/proc/self/root' + {token!r}).read())",
        f"import os\nos.symlink({token!r}, '/dev/shm/hubpub-test')\nprint(open('/dev/shm/hubpub-test').read())",
        f"import os\nprint(os.open({os.environ['HOME']!r}, os.O_RDONLY))",
        "import os\nprint(len(open(f'/proc/self/root/proc/{os.getppid()}/environ').read()))",
        f"import os\nos.symlink({str(victim)!r}, 'out')\nopen('out', 'w').write('x')",
        f"import os\nos.symlink({str(victim)!r}, 'out2')\nos.chmod('out2', 0o777)",
        f"import os\nos.symlink({str(victim)!r}, 'out3')\nos.truncate('out3', 0)",
    )
    Path("/dev/shm/hubpub-test").unlink(missing_ok=True)
    assert {block.status for block in rehearsal.blocks} == {Status.NOT_RUNNABLE}, [
        (block.status, said(block)) for block in rehearsal.blocks
    ]
    assert victim.read_text() == "untouched"
    assert victim.stat().st_mode & 0o777 == 0o600


@linux
def test_no_terminal_can_be_reached(model: Path) -> None:
    """What is typed there could be read, and what is shown there be changed."""
    import pty

    ours, theirs = pty.openpty()
    try:
        block = only(run(model, f"open({os.ttyname(theirs)!r}, 'w').write('x')"))
        assert block.status is Status.NOT_RUNNABLE, said(block)
        native = f"import ctypes\nprint(ctypes.CDLL(None).open({os.ttyname(theirs).encode()!r}, 2))"
        assert only(run(model, native)).output == ("-1",)
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_directory_as_deep_as_can_be_is_no_end(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    code = (
        "import ctypes\nlibc = ctypes.CDLL(None)\nfor _ in range(3000):\n    libc.mkdir(b'd', 0o700), libc.chdir(b'd')"
    )
    assert only(run(model, code)).status is Status.RAN
    assert not list(scratch.iterdir())
