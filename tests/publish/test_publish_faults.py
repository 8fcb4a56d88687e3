"""Every call of a push goes wrong in every way: the release is published once, or not at all and then once.

The hub is real, and so is the network: what a fault does is done to the connection (see `hubpub.hub.web.faults`).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from huggingface_hub import HfApi
from support.fault_matrix import IMPATIENT, KINDS, Counted, Push, cases, once
from support.tiny_release import TOKEN, save_tiny

from hubpub.core.errors import HubError
from hubpub.hub import Hub
from hubpub.publish.http import Patience
from hubpub.publish.staged import CommitLimits

pytestmark = pytest.mark.faults

# How often each call is made by the pushes below; a test holds these numbers.
RELEASE = {
    "whoami": 1,
    "auth-check": 1,
    "revision": 1,
    "tree": 4,
    "commits": 1,
    "resolve": 1,
    "refs": 2,
    "preupload": 3,
    "validate-yaml": 1,
    "commit": 1,
    "tag": 1,
}
STAGED = {
    "discussions": 3,
    "create-discussion": 1,
    "discussion": 2,
    "discussion-status": 1,
    "merge": 1,
    "commit": 2,
}


@pytest.fixture
def small_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several calls where a release of this size takes one."""
    monkeypatch.setattr("hubpub.publish.client._AT_ONCE", 1)


_numbers = iter(range(10_000))


@pytest.fixture
def name() -> str:
    return f"model-{next(_numbers)}"


@pytest.fixture(scope="module")
def seed(shared_hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Push:
    """A repo with one release, that many tests add to."""
    made = Push(shared_hub, save_tiny(tmp_path_factory.mktemp("seed") / "model", "first"), "second")
    made.run(Patience())
    return made


@pytest.fixture
def second(seed: Push, faulty_hub: Hub, small_calls: None, name: str) -> Iterator[Push]:
    """The second release of a repo: three small files differ, the weights do not."""
    api = HfApi(endpoint=seed.hub.endpoint, token=TOKEN)
    api.super_squash_history("acme/second")
    (seed.folder / "notes.txt").write_text(name)
    (seed.folder / "config.json").write_text(f'{{"a": "{name}"}}')
    (seed.folder / "README.md").write_text(f"---\nlicense: mit\n---\n# {name}\n")
    yield Push(seed.hub, seed.folder, "second")
    seed.hub.faults()
    for tag in api.list_repo_refs("acme/second").tags:
        api.delete_tag("acme/second", tag=tag.name)


@pytest.fixture
def staged(second: Push) -> Push:
    """The second release, of which no commit may hold more than two files."""
    (second.folder / "more.txt").write_text(second.folder.joinpath("notes.txt").read_text())
    second.limits = CommitLimits(operations=2, part=2)
    return second


@pytest.mark.parametrize(("place", "kind", "after"), cases(RELEASE))
def test_a_call_of_a_release(second: Push, place: str, kind: str, after: int) -> None:
    once(second, place, kind, after, commits_before=1)


@pytest.mark.parametrize(("place", "kind", "after"), cases(STAGED))
def test_a_call_of_a_release_in_parts(staged: Push, place: str, kind: str, after: int) -> None:
    once(staged, place, kind, after, commits_before=1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", RELEASE | STAGED)
def test_a_call_that_always_goes_wrong(second: Push, place: str, kind: str) -> None:
    """The branch has the old release or the new one, and another push makes one commit in all."""
    if place in STAGED and place != "commit":
        second.limits = CommitLimits(operations=2, part=2)
    before = second.seen
    assert before is not None
    second.hub.faults(f"{place}: {kind}")
    try:
        second.run(IMPATIENT, tag="v2")
    except HubError as error:
        second.said += [error.message, error.next_step]
    second.hub.faults()
    between = second.seen
    assert between is not None
    assert len(between.history) - len(before.history) in (0, 1)
    assert (between.files == before.files) == (between.history == before.history)
    second.run(tag="v2")
    after = second.seen
    assert after is not None
    assert len(after.history) == len(before.history) + 1
    assert set(after.tags) == {"v2"}
    assert second.run(tag="v2").published is False
    assert TOKEN not in "".join(second.said)


@pytest.mark.parametrize(("calls", "made"), [(RELEASE, "second"), (STAGED, "staged")])
def test_these_are_the_calls(calls: dict[str, int], made: str, request: pytest.FixtureRequest) -> None:
    push: Push = request.getfixturevalue(made)
    counted = Counted(push.hub, calls)
    push.run(tag="v2")
    assert counted.calls == calls
