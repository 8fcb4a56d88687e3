"""The running command: whom it answers, with what, and how it ends."""

from __future__ import annotations

import http.client
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.previewing import Preview, previewing

CARD = "---\nlicense: mit\n---\n# Title\n\n![p](assets/p.svg)\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("previewed") / "model"
    (root / "assets").mkdir(parents=True)
    (root / "README.md").write_text(CARD)
    (root / "assets/p.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>")
    (root / "evil.js").write_text("alert(1)")
    (root / "evil.html").write_text("<script>alert(1)</script>")
    (root.parent / "secret.txt").write_text("secret")
    (root / "out.txt").symlink_to(root.parent / "secret.txt")
    return root


@pytest.fixture(scope="module")
def preview(folder: Path) -> Iterator[Preview]:
    with previewing(folder / "README.md") as running:
        yield running


def test_the_page_forbids_what_it_does_not_need(preview: Preview) -> None:
    answer = preview.ask()
    assert answer.status == 200
    assert ">Title</h1>" in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src http://127.0.0.1:")
    assert "unsafe" not in policy
    assert f"img-src {preview.address}files/;" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in answer.headers
    assert preview.ask("/-/preview.js").headers["content-type"].startswith("text/javascript")
    assert preview.ask("/-/preview.css").headers["content-type"].startswith("text/css")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{}", 200),
        ("localhost:{}", 200),
        ("LOCALHOST:{}", 200),
        ("evil.example:{}", 421),
        ("127.0.0.1", 421),
        ("127.0.0.1:1", 421),
        ("127.0.0.1.evil.example:{}", 421),
        ("localhost:{}; script-src *", 421),
        ("", 421),
    ],
)
def test_only_requests_for_this_host_are_answered(preview: Preview, host: str, status: int) -> None:
    for path in ("/", "/files/assets/p.svg"):
        answer = preview.ask(path, Host=host.format(preview.port))
        assert answer.status == status
        assert ("svg" in answer.text or "Title" in answer.text) is (status == 200)


def test_pages_of_other_sites_get_nothing(preview: Preview) -> None:
    assert preview.ask("/files/assets/p.svg", Sec_Fetch_Site="cross-site").status == 403
    assert preview.ask("/-/changes", Sec_Fetch_Site="same-site").status == 403
    assert preview.ask("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors").status == 403
    assert preview.ask("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate").status == 200
    assert preview.ask("/files/assets/p.svg", Sec_Fetch_Site="same-origin").status == 200


def test_files_cannot_run(preview: Preview) -> None:
    answer = preview.ask("/files/assets/p.svg?x")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert preview.ask("/files/README.md").headers["content-type"] == "text/plain; charset=utf-8"
    assert preview.ask("/files/evil.js").status == preview.ask("/files/evil.html").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/files/../secret.txt",
        "/files/%2e%2e/secret.txt",
        "/files/..%2fsecret.txt",
        "/files/assets/../../secret.txt",
        "/files//etc/passwd",
        "/files/%2fetc%2fpasswd",
        "/files/..%5csecret.txt",
        "/files/out.txt",
        "/files/a%00.txt",
        "/../secret.txt",
        "/-/page.html",
        "/-/..%2fpage.html",
    ],
)
def test_nothing_outside_of_the_folder_is_served(preview: Preview, path: str) -> None:
    answer = preview.ask(path)
    assert answer.status in (400, 404)
    assert "secret" not in answer.text
    assert "root:" not in answer.text


def test_it_only_reads(preview: Preview) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert preview.ask("/", method, Content_Length="0").status == 405


def test_remote_images_when_they_are_wanted(folder: Path) -> None:
    with previewing(folder / "README.md", "--remote-images") as running:
        assert "/files/ https: http:;" in running.ask().headers["content-security-policy"]


def test_it_ends_quietly_and_at_once(folder: Path) -> None:
    with previewing(folder / "README.md") as running:
        waiting = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
        waiting.request("GET", "/-/changes")
        assert waiting.getresponse().readline() == b"retry: 500\n"
        started = time.monotonic()
        running.process.send_signal(signal.SIGINT)
        stdout, stderr = running.process.communicate(timeout=10)
        assert time.monotonic() - started < 5
        waiting.close()
    assert running.process.returncode == 0
    assert stdout == ""
    assert "Traceback" not in stderr
    assert "interrupted" not in stderr


def test_a_port_that_is_taken_is_an_error(preview: Preview, folder: Path, run: Callable[..., tuple[int, str]]) -> None:
    code, error = run("preview", str(folder / "README.md"), "--no-open", "--port", str(preview.port))
    assert code == 2
    assert f"cannot listen on 127.0.0.1 port {preview.port}" in error


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    from hubpub.cli.main import main

    def call(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        assert isinstance(left.value.code, int)
        return left.value.code, capsys.readouterr().err

    return call


def test_changes_are_told(folder: Path, tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card.write_text(CARD)
    with previewing(card) as running:
        page = running.ask().text
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
        connection.request("GET", "/-/changes")
        stream = connection.getresponse()
        assert stream.getheader("content-type") == "text/event-stream; charset=utf-8"
        first = _event(stream)
        assert f'data-version="{first}"' in page
        started = time.monotonic()
        (tmp_path / "new").write_text(CARD + "\nmore\n")
        (tmp_path / "new").replace(card)
        assert _event(stream) != first
        assert time.monotonic() - started < 2
        connection.close()


def _event(stream: http.client.HTTPResponse) -> str:
    while True:
        line = stream.readline().decode()
        assert line
        if line.startswith("data: "):
            return line.removeprefix("data: ").strip()
