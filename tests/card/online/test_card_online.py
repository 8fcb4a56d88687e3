from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
import responses
from support.linting import subject
from support.running_hub import ALICE, TestHub, hubs

from hubpub.card.online import fetch as online_fetch
from hubpub.card.online.cache import SECONDS, AnswerCache
from hubpub.card.online.fetch import Answer, Fetcher, State, _is_public
from hubpub.card.online.lookup import HubId, Online
from hubpub.core.errors import UsageError
from hubpub.core.findings import Finding
from hubpub.core.report import Skip
from hubpub.rules.link_online import dead_url, unknown_hub_id
from hubpub.rules.registry import card_rules

PAGE = "https://pages.test/a"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online_fetch.time, "sleep", lambda seconds: None)


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def online(tmp_path: Path) -> Online:
    return Online("https://huggingface.co", None, AnswerCache(tmp_path))


def ask(address: str) -> Answer:
    return Fetcher(None).ask(address, time.monotonic() + 5)


@pytest.mark.parametrize(
    ("head", "get", "state"),
    [
        (200, None, State.ALIVE),
        (404, 404, State.DEAD),
        (410, 410, State.DEAD),
        (404, 200, State.ALIVE),
        (405, 200, State.ALIVE),
        (403, 403, State.UNSURE),
        (401, 401, State.UNSURE),
        (500, 500, State.UNSURE),
        (429, 429, State.UNSURE),
    ],
)
def test_only_what_is_gone_for_sure_is_dead(
    web: responses.RequestsMock, head: int, get: int | None, state: State
) -> None:
    web.head(PAGE, status=head)
    if get:
        web.get(PAGE, status=get)
    assert ask(PAGE).state is state


def test_a_server_that_is_busy_is_asked_again(web: responses.RequestsMock) -> None:
    web.head(PAGE, status=503, headers={"Retry-After": "1"})
    web.head(PAGE, status=200)
    assert ask(PAGE) == Answer(State.ALIVE)
    assert len(web.calls) == 2


def test_a_server_that_wants_an_hour_is_left_alone(web: responses.RequestsMock) -> None:
    web.head(PAGE, status=429, headers={"Retry-After": "3600"})
    assert ask(PAGE).state is State.UNSURE
    assert len(web.calls) == 1


def test_redirects_are_followed_but_not_in_circles(web: responses.RequestsMock) -> None:
    web.head(PAGE, status=301, headers={"Location": "/b"})
    web.head("https://pages.test/b", status=404)
    web.get("https://pages.test/b", status=404)
    web.head("https://circle.test/", status=302, headers={"Location": "https://circle.test/"})
    assert ask(PAGE).state is State.DEAD
    assert ask("https://circle.test/") == Answer(State.UNSURE, "its redirects lead in a circle")


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/",
        "http://localhost:80/",
        "http://[::1]/",
        "file:///etc/passwd",
    ],
)
def test_a_redirect_into_a_private_network_is_not_followed(web: responses.RequestsMock, place: str) -> None:
    web.head(PAGE, status=302, headers={"Location": place})
    assert ask(PAGE).state is State.UNSURE
    assert len(web.calls) == 1


@pytest.mark.parametrize(
    "error", [requests.ConnectTimeout("x"), requests.ReadTimeout("x"), requests.ConnectionError("x")]
)
def test_what_does_not_answer_is_unsure(web: responses.RequestsMock, error: Exception) -> None:
    web.head(PAGE, body=error)
    assert ask(PAGE).state is State.UNSURE


def test_nothing_secret_is_sent(web: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine pages.test login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    web.head(PAGE, status=200, headers={"Set-Cookie": "a=b"})
    fetcher = Fetcher(None)
    for _ in range(2):
        fetcher.ask(PAGE, time.monotonic() + 5)
    for call in web.calls:
        assert not {"Authorization", "Cookie"} & set(call.request.headers)
    assert ask("https://me:secret@pages.test/") == Answer(State.UNSURE, "it holds a password")


@contextmanager
def server() -> Iterator[tuple[str, int, list[str]]]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.append(self.path)
            self.send_response(200 if self.path == "/here" else 404)
            self.end_headers()

        do_GET = do_HEAD  # noqa: N815

        def log_message(self, *args: object) -> None: ...

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    try:
        yield "127.0.0.1", running.server_address[1], asked
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


def test_a_name_that_leads_to_this_machine_is_not_talked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with server() as (host, port, asked):
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        monkeypatch.setattr(online_fetch.socket, "getaddrinfo", lambda *args, **more: found)
        answer = ask(f"http://rebound.test:{port}/here")
        assert answer == Answer(State.UNSURE, "it leads to a private network")
        assert asked == []
        # unless that is where the hub is
        ours = Fetcher(("rebound.test", port))
        assert ours.ask(f"http://rebound.test:{port}/here", time.monotonic() + 5) == Answer(State.ALIVE)
        assert ours.ask(f"http://rebound.test:{port}/gone", time.monotonic() + 5).state is State.DEAD


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("::ffff:127.0.0.1", False),
        ("2002:7f00:1::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert _is_public(address) is public


@pytest.mark.parametrize(("has_network", "state"), [(True, State.DEAD), (False, State.UNSURE)])
def test_an_unknown_host_is_dead_only_with_a_network(
    online: Online, monkeypatch: pytest.MonkeyPatch, has_network: bool, state: State
) -> None:
    def look_up(host: str, *args: object, **more: object) -> list[object]:
        if host == "huggingface.co" and has_network:
            return []
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(online_fetch.socket, "getaddrinfo", look_up)
    assert online.addresses(["https://gone.test/x"])["https://gone.test/x"].state is state


def test_answers_are_kept_for_a_day(
    web: responses.RequestsMock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.head(PAGE, status=200)
    for _ in range(2):
        assert (
            Online("https://huggingface.co", None, AnswerCache(tmp_path)).addresses([PAGE])[PAGE].state is State.ALIVE
        )
    assert len(web.calls) == 1
    later = time.time() + SECONDS + 1
    monkeypatch.setattr("hubpub.card.online.cache.time.time", lambda: later)
    Online("https://huggingface.co", None, AnswerCache(tmp_path)).addresses([PAGE])
    assert len(web.calls) == 2


def test_what_is_unsure_is_not_kept(web: responses.RequestsMock, tmp_path: Path) -> None:
    web.head(PAGE, status=403)
    web.get(PAGE, status=403)
    for _ in range(2):
        Online("https://huggingface.co", None, AnswerCache(tmp_path)).addresses([PAGE])
    assert len(web.calls) == 4


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"time": "x"}', b"[]", b'{"question": 1, "time": 1e99, "answer": []}']
)
def test_a_damaged_entry_is_not_believed(tmp_path: Path, content: bytes) -> None:
    cache = AnswerCache(tmp_path)
    cache.put("q", {"state": "dead"})
    assert cache.get("q") == {"state": "dead"}
    (entry,) = (tmp_path / "answers-1").iterdir()
    entry.write_bytes(content)
    assert cache.get("q") is None


def test_a_host_that_asks_to_slow_down_is_not_asked_on(web: responses.RequestsMock, online: Online) -> None:
    pages = [f"https://pages.test/{number}" for number in range(5)]
    for page in pages:
        web.head(page, status=429, headers={"Retry-After": "9999"})
    assert {answer.state for answer in online.addresses(pages).values()} == {State.UNSURE}
    assert len(web.calls) == 1


def test_the_budget_ends_the_asking(tmp_path: Path) -> None:
    late = Online("https://huggingface.co", None, AnswerCache(tmp_path), budget=0.0)
    assert late.addresses([PAGE])[PAGE] == Answer(State.UNSURE, "there was no time left to ask")


def test_dead_addresses_are_findings_and_the_unsure_are_skipped(web: responses.RequestsMock, online: Online) -> None:
    for page, status in (("a", 404), ("b", 403), ("c", 200)):
        web.head(f"https://pages.test/{page}", status=status)
        web.get(f"https://pages.test/{page}", status=status)
    text = (
        "[a](https://pages.test/a#x) and [again](https://pages.test/a), https://pages.test/b, <https://pages.test/c>,\n"
        "http://localhost/, http://10.0.0.1/, `https://pages.test/d`"
    )
    (found, skipped) = list(dead_url(subject(text, online=online)))
    assert not isinstance(found, Skip)
    assert (found.message, found.line, found.column) == ("https://pages.test/a: the server answers 404", 1, 1)
    assert skipped == Skip("1 of the 3 addresses of the card", "the server answers 403")


def test_the_examples_of_the_rule_about_addresses(web: responses.RequestsMock, online: Online) -> None:
    rule = next(rule for rule in card_rules if rule.code == "LINK016")
    web.head("https://films.acme.ai/moved", status=404)
    web.get("https://films.acme.ai/moved", status=404)
    web.head("https://films.acme.ai/data", status=200)
    assert [type(found) for found in rule.run(subject(rule.bad, online=online))] == [Finding]
    assert list(rule.run(subject(rule.good, online=online))) == []


def test_the_examples_of_the_rule_about_ids(hub: TestHub, tmp_path: Path) -> None:
    rule = next(rule for rule in card_rules if rule.code == "LINK018")
    hub.api().create_repo("acme/base")
    online = Online(hub.endpoint, ALICE, AnswerCache(tmp_path))
    assert [type(found) for found in rule.run(subject(rule.bad, online=online))] == [Finding]
    assert list(rule.run(subject(rule.good, online=online))) == []


def test_without_look_ups_nothing_is_said() -> None:
    text = "---\nbase_model: a/b\n---\n[a](https://pages.test/a)"
    assert [*dead_url(subject(text)), *unknown_hub_id(subject(text))] == []


@pytest.fixture
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestHub]:
    with hubs(tmp_path_factory) as start:
        yield start()


def test_ids_are_looked_up_at_the_hub(hub: TestHub, tmp_path: Path) -> None:
    hub.api().create_repo("acme/base")
    hub.api().create_repo("acme/data", repo_type="dataset")
    hub.api().create_repo("acme/private", private=True)
    text = (
        "---\nbase_model: acme/base\ndatasets:\n- acme/data\n- acme/gone\n---\n"
        f"[p]({hub.endpoint}/acme/private) [m]({hub.endpoint}/acme/missing) [f]({hub.endpoint}/acme/base/tree/main)\n"
    )
    signed_in = Online(hub.endpoint, ALICE, AnswerCache(tmp_path / "a"))
    found = [
        problem.message for problem in unknown_hub_id(subject(text, online=signed_in)) if not isinstance(problem, Skip)
    ]
    reason = "the hub does not know it, or it is private"
    assert found == [f"the dataset acme/gone: {reason}", f"the model acme/missing: {reason}"]
    nobody = Online(hub.endpoint, None, AnswerCache(tmp_path / "b"))
    assert nobody.repos([HubId("model", "acme/private")])[HubId("model", "acme/private")].state is State.DEAD


def test_a_hub_that_is_away_is_unsure(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = Online(f"http://127.0.0.1:{taken.getsockname()[1]}", None, AnswerCache(tmp_path), budget=3)
        assert away.repos([HubId("model", "a/b")])[HubId("model", "a/b")].state is State.UNSURE


def test_a_token_is_for_the_hub_it_was_stored_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HUBPUB_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.get_token", lambda: "hf_stored")
    assert Online.open(None)._token == "hf_stored"
    assert Online.open("https://hub.example.org")._token is None
    monkeypatch.setenv("HF_TOKEN", "hf_named")
    assert Online.open("https://hub.example.org/")._token == "hf_named"
    assert Online.open("https://hub.example.org/").endpoint == "https://hub.example.org"
    for wrong in ("example.org", "ftp://example.org", "https://me:x@example.org", "https://[", "https://a:b"):
        with pytest.raises(UsageError):
            Online.open(wrong)
