"""The child process: answers, limits, and what it may not do."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import Any

import pytest

from hubpub.model.child import Child, ask

# The functions below run in the child, which finds this module by the path that pytest has set.
HERE = "model.test_model_child"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits are those of POSIX")


def echo(request: Mapping[str, Any]) -> Any:
    print("a library that prints")  # noqa: T201
    return {"got": request, "secret": os.environ.get("HF_TOKEN"), "offline": os.environ["HF_HUB_OFFLINE"]}


def spin(_: Mapping[str, Any]) -> None:
    while True:
        pass


def sleep(_: Mapping[str, Any]) -> None:
    time.sleep(60)


def hoard(_: Mapping[str, Any]) -> int:
    return len(bytearray(4 << 30))


def flood(_: Mapping[str, Any]) -> str:
    return "x" * (100 << 20)


def crash(_: Mapping[str, Any]) -> None:
    os.abort()


def fail(_: Mapping[str, Any]) -> None:
    raise ValueError("no such thing")


def start(_: Mapping[str, Any]) -> None:
    os.system("touch /tmp/never")


def call_home(_: Mapping[str, Any]) -> None:
    import socket

    socket.create_connection(("127.0.0.1", 9))


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.syspath_prepend(str(request.path.parents[1]))


def test_answers_what_the_function_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_x")
    answer = ask(f"{HERE}:echo", {"a": ["é", 1]}, seconds=20)
    assert answer.value == {"got": {"a": ["é", 1]}, "secret": None, "offline": "1"}
    assert answer.failure is None


@pytest.mark.parametrize("function", ["spin", "sleep"])
def test_a_child_that_takes_too_long_is_killed(function: str) -> None:
    started = time.monotonic()
    answer = ask(f"{HERE}:{function}", {}, seconds=1)
    assert answer.timed_out
    assert "1 seconds" in (answer.failure or "")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("hoard", "memory"),
        ("flood", "ended with code"),
        ("crash", "ended with code -6"),
        ("fail", "no such thing"),
        ("start", "os.system is not allowed here"),
        ("call_home", "is not allowed here"),
        ("nothing", "no attribute"),
    ],
)
def test_what_goes_wrong_is_an_answer(function: str, reason: str) -> None:
    answer = ask(f"{HERE}:{function}", {}, seconds=20, memory=1 << 30)
    assert answer.value is None
    assert reason in (answer.failure or "")
    assert not answer.timed_out


def test_children_work_side_by_side() -> None:
    children = [Child(f"{HERE}:echo", {"n": number}, seconds=20) for number in range(4)]
    assert [child.answer().value["got"]["n"] for child in children] == [0, 1, 2, 3]


def test_a_child_that_cannot_be_started_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert ask(f"{HERE}:echo", {}, seconds=20).failure == "cannot be started: No such file or directory"
