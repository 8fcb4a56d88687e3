"""Faults on demand, as the real client meets them: what it survives, what it raises, what took effect all the same."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, get_session
from huggingface_hub.errors import HfHubHTTPError
from support.running_hub import ALICE, TestHub

from hubpub.core.errors import UsageError
from hubpub.hub import parse_fault, parse_faults, running
from hubpub.hub.web.faults import PLACES, Effect, Faults, load_faults

REPO = "alice/model"


@pytest.fixture
def model(hub: TestHub) -> TestHub:
    """A hub with an empty model."""
    hub.api().create_repo(REPO)
    return hub


def add(hub: TestHub, content: bytes = b"small", **options: str) -> str:
    operations = [CommitOperationAdd("a.txt", content)]
    return hub.api().create_commit(REPO, operations, commit_message="x", **options).oid


def test_two_refusals_and_then_an_answer(model: TestHub) -> None:
    faults = model.hub.faults("preupload: 429 first=2 retry_after=0")
    started = time.monotonic()
    add(model)
    assert time.monotonic() - started >= 2  # the client adds a second to each wait
    assert [(seen, hit) for _, seen, hit in faults] == [(3, 2)]


def test_refusals_say_when_to_come_back(model: TestHub) -> None:
    model.hub.faults("whoami: 429 retry_after=7")
    with pytest.raises(HfHubHTTPError) as caught:
        model.api().whoami()
    headers = caught.value.response.headers
    assert caught.value.response.status_code == 429
    assert (headers["Retry-After"], headers["RateLimit"]) == ("7", '"api";r=0;t=7')
    assert headers["RateLimit-Policy"].startswith('"fixed window";"api";')


def test_lost_answer_of_a_commit_that_landed(model: TestHub) -> None:
    before = model.api().model_info(REPO).sha
    faults = model.hub.faults("commit: lose first=1")
    with pytest.raises(Exception, match=r"(?i)disconnect|reset"):
        add(model)
    assert faults.hits == 1
    assert model.api().model_info(REPO).sha != before
    assert model.read(REPO, "a.txt") == b"small"


def test_dropped_commit_did_not_land(model: TestHub) -> None:
    before = model.api().model_info(REPO).sha
    model.hub.faults("commit: drop")
    with pytest.raises(Exception, match=r"(?i)disconnect|reset"):
        add(model)
    model.hub.faults()
    assert model.api().model_info(REPO).sha == before
    add(model)


def test_refused_xet_token_is_asked_for_again(model: TestHub, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"\0weights" * 20_000)
    faults = model.hub.faults("xet-write-token: 503 first=1", "xorb-put: 500 first=1")
    code = (
        "import sys; from huggingface_hub import HfApi; "
        f"HfApi().upload_file(path_or_fileobj=sys.argv[1], path_in_repo='model.safetensors', repo_id={REPO!r})"
    )
    model.python(code, str(path), env={"HF_XET_CLIENT_RETRY_MAX_ATTEMPTS": "3"})
    assert [hit for _, _, hit in faults] == [1, 1]
    model.hub.faults()
    assert model.read(REPO, "model.safetensors") == path.read_bytes()


def test_download_that_breaks_off_is_resumed(model: TestHub) -> None:
    add(model, b"x" * 300_000)
    faults = model.hub.faults("resolve: cut bytes=100000 first=1")
    assert model.read(REPO, "a.txt") == b"x" * 300_000
    assert faults.hits == 1


def test_truncated_answer_is_noticed(model: TestHub) -> None:
    add(model, b"x" * 300_000)
    model.hub.faults("resolve: truncate bytes=1000")
    answer = get_session().get(f"{model.endpoint}/{REPO}/resolve/main/a.txt")
    assert (answer.status_code, answer.headers["content-length"], len(answer.content)) == (200, "1000", 1000)
    with pytest.raises(OSError, match="Consistency check failed"):
        model.read(REPO, "a.txt")


@pytest.mark.parametrize(("rule", "least"), [("resolve: late seconds=0.4", 0.4), ("resolve: slow rate=200000", 0.4)])
def test_late_and_slow_answers_are_whole(model: TestHub, rule: str, least: float) -> None:
    add(model, b"x" * 100_000)
    faults = model.hub.faults(rule)
    started = time.monotonic()
    assert get_session().get(f"{model.endpoint}/{REPO}/resolve/main/a.txt").content == b"x" * 100_000
    assert least <= time.monotonic() - started < 5
    assert faults.hits == 1


def test_stalled_request(model: TestHub) -> None:
    model.hub.faults("whoami: stall")
    with pytest.raises(Exception, match=r"(?i)time"):
        get_session().get(f"{model.endpoint}/api/whoami-v2", timeout=0.3)
    model.hub.faults("whoami: stall seconds=0.2")
    with pytest.raises(Exception, match=r"(?i)disconnect|reset"):
        get_session().get(f"{model.endpoint}/api/whoami-v2", timeout=5)


def test_an_answer_that_trickles_ends_with_its_rule(model: TestHub) -> None:
    model.hub.faults("whoami: trickle seconds=0.05")
    threading.Timer(0.6, model.hub.faults).start()
    started = time.monotonic()
    with pytest.raises(Exception, match=r"(?i)disconnect|reset"):
        get_session().get(f"{model.endpoint}/api/whoami-v2", timeout=0.4)  # of silence
    assert time.monotonic() - started > 0.5


@pytest.mark.parametrize(
    ("options", "hit"),
    [
        ("first=2", [1, 2]),
        ("after=3", [4, 5, 6, 7, 8]),
        ("every=3", [3, 6]),
        ("after=2 first=1", [3]),
        ("after=1 every=2 first=4", [3, 5]),
        ("p=0", []),
        ("", [1, 2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_which_requests_are_hit(options: str, hit: list[int]) -> None:
    faults = Faults([parse_fault(f"GET /x: 500 {options}")])
    assert [number for number in range(1, 9) if faults.pick("GET", "/x")] == hit


def test_chance_repeats_with_its_seed() -> None:
    def drawn(rule: str) -> list[bool]:
        faults = Faults([parse_fault(rule)])
        return [faults.pick("GET", "/x") is not None for _ in range(200)]

    first = drawn("GET /x: 500 p=0.3 seed=7")
    assert first == drawn("GET /x: 500 p=0.3 seed=7") != drawn("GET /x: 500 p=0.3 seed=8")
    assert 30 < sum(first) < 90


def test_places_are_routes_of_the_hub(hub: TestHub) -> None:
    """Each name speaks of requests that a route of its own answers, and the pattern of that route is no wider."""
    for place, (method, path) in PLACES.items():
        rule = parse_fault(f"{place}: 503")
        concrete = path.replace("/**/resolve/**", "/a/b/resolve/main/c").replace("/**/info", "/a/b.git/info")
        concrete = concrete.replace("/api/*/*/*", "/api/models/a/b").replace("/**", "/main/x").replace("*", "v1")
        assert rule.where.matches(method, concrete), place
        model = hub.hub
        faults = model.faults(rule)
        answer = get_session().request(method, hub.endpoint + concrete)
        assert (answer.status_code, faults.hits) == (503, 1), place


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("", "not of the form"),
        ("preupload", "not of the form"),
        ("nowhere: 500", "'nowhere' is not a method and a path"),
        ("get /x: 500", "is not a method and a path"),
        ("GET x: 500", "is not a method and a path"),
        ("commit: 200", "'200' is not a status"),
        ("commit: explode", "'explode' is not a status"),
        ("commit: 500 first", "first is not one of"),
        ("commit: 500 first=x", "'x' is not a number"),
        ("commit: 500 first=1 first=2", "once"),
        ("commit: 500 first=-1", "negative"),
        ("commit: 500 p=nan", "negative"),
        ("commit: 500 p=2", "more than 1"),
        ("commit: 500 every=0", "at least 1"),
        ("commit: drop seconds=1", "seconds=1 is not one of"),
        ("commit: late", "late needs seconds="),
    ],
)
def test_rules_that_are_not_understood(rule: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_fault(rule)
    assert reason in caught.value.message


def test_rules_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "faults"
    path.write_text("# a bad day\n\npreupload: 429 first=2  # then it recovers\nGET /api/**: drop p=0.1 seed=7\n")
    assert [fault.effect for fault in load_faults(str(path))] == [429, Effect.DROP]
    assert load_faults("commit: lose") == parse_faults("commit: lose")


def test_admin_route() -> None:
    rules = {"rules": ["whoami: 503", "refs: 500"]}
    with running(admin_token="hf_admin", faults=["whoami: 502"]) as hub:
        address, admin = f"{hub.endpoint}/api/hubpub-admin/faults", {"Authorization": "Bearer hf_admin"}
        ask = get_session().request
        assert ask("GET", f"{hub.endpoint}/api/whoami-v2").status_code == 502
        answer = ask("GET", address, headers=admin)
        assert answer.json() == {"rules": [{"rule": "whoami: 502", "seen": 1, "hit": 1}]}
        for headers in ({}, {"Authorization": "Bearer hf_other"}):
            assert ask("PUT", address, headers=headers, json=rules).status_code == 401
        assert ask("PUT", address, headers=admin, json={"rules": ["whoami: 1"]}).status_code == 400
        assert ask("PUT", address, headers=admin, json={"rules": "x"}).status_code == 400
        assert len(ask("PUT", address, headers=admin, json=rules).json()["rules"]) == 2
        assert ask("GET", f"{hub.endpoint}/api/whoami-v2").status_code == 503
        ask("PUT", address, headers=admin, json={"rules": []})
        assert ask("GET", f"{hub.endpoint}/api/whoami-v2").status_code == 401


def test_no_admin_route_without_admin_token(hub: TestHub) -> None:
    headers = {"Authorization": f"Bearer {ALICE}"}
    assert get_session().get(f"{hub.endpoint}/api/hubpub-admin/faults", headers=headers).status_code == 404
