"""Addresses at which there is no hub, and what is said of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hubpub.core.errors import HubError, UsageError
from hubpub.publish.client import HubClient
from hubpub.publish.http import Patience
from hubpub.publish.refusals import NoAnswerError
from hubpub.publish.target import Target, parse_endpoint

BODY = b"<html><title>Sign in to the network</title></html>"


@contextmanager
def web_page(status: int, kind: str = "text/html; charset=utf-8", body: bytes = BODY) -> Iterator[HubClient]:
    """Something that answers the same, whatever it is asked."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            target = Target(f"http://127.0.0.1:{server.server_address[1]}", "hf_sEcretOfAlice", "HF_TOKEN")
            yield HubClient(target, Patience(attempts=1))
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (200, "answers with a web page, which no hub does"),
        (401, "answers with a web page, which no hub does"),
        (403, "answers with a web page, which no hub does"),
        (404, "does not answer as a hub does"),
        (407, "the proxy asks who you are (HTTP 407)"),
    ],
)
def test_a_web_page_instead_of_a_hub(status: int, says: str) -> None:
    with web_page(status) as client, pytest.raises(HubError) as refused:
        client.whoami()
    assert says in refused.value.message
    # Not what to do about a hub that refuses.
    assert "write permission" not in refused.value.next_step
    assert "repo id" not in refused.value.next_step


@pytest.mark.parametrize("answer", [("text/html", BODY), ("application/json", b"{}"), ("application/json", b"[]")])
def test_a_commit_whose_answer_names_none_may_have_been_made(answer: tuple[str, bytes]) -> None:
    with web_page(200, *answer) as client, pytest.raises(NoAnswerError):
        client.commit("acme/model", "main", [], parent=None, title="t", description="d")


@pytest.mark.parametrize(
    ("url", "shown", "hint"),
    [
        ("127.0.0.1:8000", "'127.0.0.1:8000'", "https://127.0.0.1:8000, or http://127.0.0.1:8000"),
        ("hub.example.org", "'hub.example.org'", "https://hub.example.org, or"),
        ("https://alice:pa55word@hub.example.org", "'***@hub.example.org'", "a URL such as"),
        ("alice:pa55word@hub.example.org", "'***@hub.example.org'", "https://***@hub.example.org"),
        ("ftp://hub.example.org", "'ftp://hub.example.org'", "a URL such as"),
    ],
)
@pytest.mark.parametrize("variable", [None, "HF_ENDPOINT"])
def test_what_is_no_address_of_a_hub(url: str, shown: str, hint: str, variable: str | None) -> None:
    with pytest.raises(UsageError) as refused:
        parse_endpoint(url, variable)
    assert shown in refused.value.message
    assert refused.value.message.startswith(variable or shown)
    assert hint in refused.value.next_step
    assert "pa55word" not in refused.value.message + refused.value.next_step
