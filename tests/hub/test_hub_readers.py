"""The threads that answer requests: one leads, and nobody waits long behind something slow."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from hubpub.hub.web.readers import Readers


@pytest.fixture
def readers() -> Iterator[Readers]:
    found = Readers(3, patience=0.01)
    yield found
    found.close()


def who(_: object) -> threading.Thread:
    return threading.current_thread()


def test_one_thread_does_all_that_is_quick(readers: Readers) -> None:
    async def ask() -> set[threading.Thread]:
        return {*await asyncio.gather(*(readers.run(who, None) for _ in range(200)))}

    threads = asyncio.run(ask())
    assert len(threads) == 1
    assert threading.current_thread() not in threads


def test_what_is_slow_holds_up_nobody(readers: Readers) -> None:
    go_on = threading.Event()

    async def ask() -> list[str]:
        done: list[str] = []

        async def noted(name: str, event: threading.Event | None) -> None:
            await readers.run(lambda event: event.wait(30) if event else None, event)
            done.append(name)

        slow = [asyncio.create_task(noted("slow", go_on)) for _ in range(2)]
        quick = [asyncio.create_task(noted("quick", None)) for _ in range(50)]
        await asyncio.gather(*quick)
        # The one that leads now goes on leading.
        await noted("late", None)
        go_on.set()
        await asyncio.gather(*slow)
        return done

    assert asyncio.run(ask()) == ["quick"] * 50 + ["late"] + ["slow"] * 2


def test_there_are_never_more_threads_than_allowed(readers: Readers) -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work(_: object) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1

    async def ask() -> None:
        await asyncio.gather(*(readers.run(work, None) for _ in range(20)))
        assert {*await asyncio.gather(*(readers.run(who, None) for _ in range(20)))}

    asyncio.run(ask())
    assert most == 3


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), KeyboardInterrupt()])
def test_what_goes_wrong_is_the_callers(readers: Readers, error: BaseException) -> None:
    def fail(_: object) -> None:
        raise error

    async def ask() -> None:
        with pytest.raises(type(error)) as caught:
            await readers.run(fail, None)
        assert caught.value is error
        assert (await readers.run(who, None)).is_alive()

    asyncio.run(ask())


def test_an_end_of_iteration_is_an_error_and_not_the_end(readers: Readers) -> None:
    async def ask() -> None:
        with pytest.raises(RuntimeError):
            await readers.run(next, iter(()))

    asyncio.run(ask())


def test_who_gives_up_holds_up_nobody(readers: Readers) -> None:
    begun, go_on, ran = threading.Event(), threading.Event(), []

    def block(_: object) -> None:
        begun.set()
        go_on.wait(30)

    async def ask() -> None:
        first = asyncio.create_task(readers.run(block, None))
        while not begun.is_set():
            await asyncio.sleep(0)
        second = asyncio.create_task(readers.run(ran.append, "second"))
        await asyncio.sleep(0)
        for task in (first, second):
            task.cancel()
        assert await asyncio.gather(first, second, return_exceptions=True) != [None, None]
        go_on.set()
        await readers.run(ran.append, "third")

    asyncio.run(ask())
    assert ran == ["third"]


def test_closing_waits_for_what_has_begun() -> None:
    others = set(threading.enumerate())  # a hub that tests share may be running
    readers = Readers(2)
    begun, ended = threading.Event(), threading.Event()

    def work(_: object) -> None:
        begun.set()
        time.sleep(0.2)
        ended.set()

    async def ask() -> None:
        task = asyncio.create_task(readers.run(work, None))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        task.cancel()

    asyncio.run(ask())
    readers.close()
    assert ended.is_set()
    assert not [one for one in set(threading.enumerate()) - others if one.name == "hubpub-reader"]


def test_an_unused_one_closes() -> None:
    Readers(2).close()


def test_the_leader_goes_on_when_no_thread_can_be_had(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def ask() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            with pytest.raises(RuntimeError):
                await readers.run(who, None)
        first = await readers.run(who, None)
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            await readers.run(time.sleep, 0.1)
            assert await readers.run(who, None) is first

    asyncio.run(ask())
