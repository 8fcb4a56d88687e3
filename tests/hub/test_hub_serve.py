"""`hubpub serve` as a process: how it starts and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import support.client_env  # noqa: F401  before huggingface_hub
from huggingface_hub import HfApi, get_session

REPO_ROOT = Path(__file__).parents[2]
MAIN = """
import sys
from hubpub.cli.serve import serve
from hubpub.core.errors import HubpubError
try:
    serve(sys.argv[1:], standalone_mode=False)
except HubpubError as error:
    print(error.message, file=sys.stderr)
    sys.exit(error.exit_code)
"""
TOKEN = "hf_serve"
ACCOUNTS = ("--token", f"{TOKEN}=alice:write", "--org", "acme=alice:admin")


def start(root: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error::ResourceWarning", "-c", MAIN, "--root", str(root), "--port", "0", *arguments],
        env={**os.environ, "PYTHONPATH": str(REPO_ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@contextmanager
def serving(root: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with start(root, *arguments) as process:
        try:
            yield process, first_line(process)
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_says_where_it_is_and_stops_when_told(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path / "hub", *ACCOUNTS) as (process, endpoint):
        assert HfApi(endpoint=endpoint, token=TOKEN).whoami()["name"] == "alice"
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")


def test_makes_a_token_if_there_is_none(tmp_path: Path) -> None:
    with serving(tmp_path / "hub") as (process, endpoint):
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith(f"export HF_ENDPOINT={endpoint} HF_TOKEN=hf_")
        token = line.strip().rpartition("=")[2]
        assert HfApi(endpoint=endpoint, token=token).whoami()["name"] == "local"


def test_warns_when_others_can_reach_it(tmp_path: Path) -> None:
    with serving(tmp_path / "hub", *ACCOUNTS, "--host", "0.0.0.0", "--url", "http://localhost:1") as (
        process,
        endpoint,
    ):
        assert endpoint == "http://localhost:1"
        assert process.stderr is not None
        assert process.stderr.readline().startswith("WARNING: 0.0.0.0 can be reached from other machines")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--token", "hf_secret"], "a --token is not of the form TOKEN=USER:ROLE"),
        (["--org", "acme=alice:boss"], "'boss' is not a role"),
        (["--accounts", "/nowhere.toml"], "/nowhere.toml cannot be read"),
        (["--host", "0.0.0.0"], "is not an address to connect to"),
        (["--host", "203.0.113.1"], "cannot listen on 203.0.113.1"),
        (["--faults", "commit: explode"], "the fault rule 'commit: explode' is not understood"),
        (["--url", "ftp://x"], "ftp://x is not the address of a hub"),
    ],
)
def test_wrong_usage(tmp_path: Path, arguments: list[str], message: str) -> None:
    with start(tmp_path / "hub", *arguments) as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (2, "")
    assert message in err
    assert "hf_secret" not in err
    assert "Traceback" not in err


def test_port_in_use_and_root_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.tex").touch()
    (tmp_path / "file").touch()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for root, more, message in (
            (tmp_path / "hub", ["--port", port], f"cannot listen on 127.0.0.1 port {port}"),
            (tmp_path / "papers", [], "holds files that are not a hub's"),
            (tmp_path / "file", [], "cannot hold a hub's data"),
        ):
            with start(root, *more) as process:
                _, err = process.communicate(timeout=20)
            assert process.returncode == 2
            assert message in err


def test_root_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "hub.json").write_text('{"format": "hubpub.hub/99", "store": "x", "secret": "00"}')
    with start(tmp_path) as process:
        _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "has the format 'hubpub.hub/99'" in err


def test_faults_from_a_rule_a_file_and_the_admin_route(tmp_path: Path) -> None:
    (tmp_path / "faults").write_text("# later\nrefs: 502\n")
    rules = ("--faults", "whoami: 429 first=1", "--faults", str(tmp_path / "faults"), "--admin-token", "hf_admin")
    with serving(tmp_path / "hub", *ACCOUNTS, *rules) as (_, endpoint):
        assert get_session().get(f"{endpoint}/api/whoami-v2").status_code == 429
        assert get_session().get(f"{endpoint}/api/whoami-v2").status_code == 401
        admin = {"Authorization": "Bearer hf_admin"}
        answer = get_session().get(f"{endpoint}/api/hubpub-admin/faults", headers=admin)
        assert [(rule["rule"], rule["seen"], rule["hit"]) for rule in answer.json()["rules"]] == [
            ("whoami: 429 first=1", 2, 1),
            ("refs: 502", 0, 0),
        ]
