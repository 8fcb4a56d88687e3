"""The card on the hub takes part in the merge: nobody's words are lost, whoever wrote where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.managed_cards import METADATA, managed_card, with_regions
from support.running_hub import ALICE, TestHub

from hubpub.card.merge.lock import LOCK
from hubpub.card.metadata.frontmatter import read_front_matter
from hubpub.core.errors import ConflictError
from hubpub.core.rule import Depth
from hubpub.publish.card import CardChoice, CardSource, card_trailer, choose_card, last_published_card
from hubpub.publish.client import Commit, HubClient
from hubpub.publish.prepare import PushOptions, prepare
from hubpub.publish.push import push
from hubpub.publish.target import Target

FIRST = managed_card()
SECOND = managed_card(
    with_regions("Evaluation results", results="Measured on 20 examples."), metadata={**METADATA, "license": "bsd"}
)
THIRD = managed_card(with_regions("Evaluation results", results="Measured on 30."), metadata={"library_name": "peft"})


class Repo:
    """The README.md of a repo, with its history, as a push sees and changes it."""

    def __init__(self) -> None:
        self.commits: list[Commit] = []
        self.cards: dict[str, bytes] = {}

    @property
    def card(self) -> str | None:
        return self.cards[self.commits[0].oid].decode() if self.commits else None

    def commit(self, text: str, message: str = "edited on the hub") -> None:
        oid = str(len(self.commits))
        self.commits.insert(0, Commit(oid, "", message))
        self.cards[oid] = text.encode()

    def push(self, rendered: str, local: str | None = None, prefer: CardSource | None = None) -> CardChoice:
        remote = self.card
        choice = choose_card(
            local.encode() if local is not None else None,
            remote.encode() if remote is not None else None,
            last_published_card(self.commits, merged=local is None),
            rendered.encode,
            prefer,
            lambda card: self.cards[card.commit],
        )
        if choice.content.decode() != remote:
            self.commit(choice.content.decode(), f"Published by hubpub.\n\n{card_trailer(choice)}")
        return choice


def test_an_edit_on_the_hub_outside_regions_stays_while_regions_follow_the_folder() -> None:
    repo = Repo()
    repo.push(FIRST)
    repo.commit(FIRST.replace("# x\n", "# x\n\nBy Anna.\n"))
    choice = repo.push(SECOND)
    assert choice.source is CardSource.MERGED
    assert repo.card == SECOND.replace("# x\n", "# x\n\nBy Anna.\n")
    assert repo.push(THIRD).source is CardSource.MERGED
    assert repo.card == THIRD.replace("# x\n", "# x\n\nBy Anna.\n")
    assert repo.push(THIRD).source is CardSource.HUB
    assert len(repo.commits) == 4


def test_what_was_edited_or_deleted_on_the_hub_stays_so_push_after_push() -> None:
    repo = Repo()
    repo.push(FIRST)
    by_hand = FIRST.replace("library_name: transformers\n", "").replace("license: mit", "license: gpl-3.0  # Anna")
    by_hand = by_hand.replace("  - b\n", "  - b\n  - mine\n").replace("f1 | 0.9", "f1 | 0.9 (seed 1)")
    at, end = by_hand.index("## Training data"), by_hand.index("## Training procedure")
    repo.commit(by_hand[:at] + by_hand[end:])
    for rendered in (SECOND, THIRD, FIRST, SECOND):
        choice = repo.push(rendered)
        assert repo.card is not None
        front = read_front_matter(repo.card)
        assert "license: gpl-3.0  # Anna" in front.raw
        assert "library_name" not in (front.data or {})
        assert "mine" in (front.data or {})["tags"]
        assert "f1 | 0.9 (seed 1)" in repo.card
        assert "## Training data" not in repo.card
    assert "results" in choice.note


def test_a_card_without_regions_or_from_a_folder_is_left_alone() -> None:
    for card in ("# mine\n", FIRST):
        repo = Repo()
        repo.commit(card)
        assert repo.push(SECOND).source is CardSource.HUB
    repo = Repo()
    repo.push(FIRST, FIRST)
    repo.commit(FIRST.replace("# x\n", "# mine\n"))
    assert repo.push(SECOND).source is CardSource.HUB


def test_a_history_that_was_rewritten_is_no_base() -> None:
    repo = Repo()
    repo.push(FIRST)
    repo.cards["0"] = FIRST.replace("# x", "# y").encode()
    repo.commit(FIRST.replace("# x\n", "# mine\n"))
    assert repo.push(SECOND).source is CardSource.HUB


def test_the_folders_card_and_edits_on_the_hub_come_together_again_and_again() -> None:
    repo = Repo()
    repo.push("", FIRST)
    mine = FIRST.replace("## How to use\n", "## How to use\n\nMine.\n")
    repo.commit(FIRST.replace("# x\n", "# x\n\nBy Anna.\n"))
    assert repo.push("", mine).source is CardSource.MERGED
    both = mine.replace("# x\n", "# x\n\nBy Anna.\n")
    assert repo.card == both
    assert repo.push("", mine).source is CardSource.HUB
    more = mine.replace("## Training data\n", "## Training data\n\nMore.\n")
    repo.push("", more)
    assert repo.card == more.replace("# x\n", "# x\n\nBy Anna.\n")
    assert repo.push("", repo.card).source is CardSource.FOLDER


def test_a_section_that_both_edited_is_a_conflict_that_names_it() -> None:
    repo = Repo()
    repo.push("", FIRST)
    repo.commit(FIRST.replace("## How to use\n", "## How to use\n\nTheirs.\n"))
    mine = FIRST.replace("## How to use\n", "## How to use\n\nMine.\n")
    with pytest.raises(ConflictError, match="how-to-use") as caught:
        repo.push("", mine)
    assert "--card folder or --card hub" in caught.value.next_step
    assert repo.push("", mine, CardSource.FOLDER).content.decode() == mine


places = st.integers(0, FIRST.count("\n"))
hands = st.lists(
    st.tuples(st.sampled_from(["hub", "push", "local"]), places, st.sampled_from([FIRST, SECOND, THIRD])), max_size=6
)


@settings(derandomize=True, max_examples=60)
@given(hands, st.booleans())
def test_nothing_that_anybody_wrote_is_lost_in_any_order_of_edits_and_pushes(steps: Any, with_folder: bool) -> None:
    repo = Repo()
    local = FIRST if with_folder else None
    written: set[str] = set()
    mine: set[str] = set()
    for number, (who, place, rendered) in enumerate(steps):
        word = f"word{number}: 1"
        if who == "hub" and repo.card is not None:
            repo.commit(_with_line(repo.card, place, word))
            written.add(word)
        elif who == "local" and local is not None:
            local = _with_line(local, place, word)
            mine.add(word)
        else:
            try:
                repo.push(rendered, local)
            except ConflictError:
                return
            written |= mine
        assert written <= set((repo.card or "").splitlines())


def _with_line(text: str, at: int, line: str) -> str:
    lines = text.split("\n")
    at = min(max(at, 1), len(lines) - 1)
    return "\n".join([*lines[:at], line, *lines[at:]])


def test_a_push_merges_with_the_card_on_a_real_hub(
    hub: TestHub, plain_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered = [FIRST]
    monkeypatch.setattr("hubpub.publish.prepare.render_folder_card", lambda *_, **__: rendered[0])
    (plain_copy / "README.md").unlink(missing_ok=True)
    (plain_copy / ".hubpub").mkdir()
    (plain_copy / ".hubpub" / "card.lock.json").write_text("{}")
    options = PushOptions(path=plain_copy, name="model", namespace="acme", depth=Depth.QUICK)
    client = HubClient(Target(hub.endpoint, ALICE, "the test"))
    notes: list[str] = []
    first = push(options, client, notes.append)
    assert [item.path for item in first.plan.left_out if "memory of what it wrote" in item.reason] == [LOCK]

    edited = FIRST.replace("# x\n", "# x\n\nBy Anna.\n").replace("f1 | 0.9", "f1 | 0.91")
    hub.api().upload_file(path_or_fileobj=edited.encode(), path_in_repo="README.md", repo_id="acme/model")
    rendered[0] = SECOND
    plan = prepare(options, client, notes.append).plan
    assert "+license: bsd" in plan.card.diff
    assert "Anna" not in "".join(line for line in plan.card.diff.splitlines() if line[:1] in "+-")
    assert "kept by hand: results" in plan.card.note
    push(options, client, notes.append)
    assert hub.read("acme/model", "README.md").decode() == edited.replace("license: mit", "license: bsd")
    assert not push(options, client, notes.append).published
    rendered[0] = THIRD
    push(options, client, notes.append)
    text = hub.read("acme/model", "README.md").decode()
    assert "library_name: peft" in text
    assert "By Anna." in text
    assert "f1 | 0.91" in text


def test_the_card_is_judged_as_that_of_the_repo_that_it_goes_to(hub: TestHub, plain_copy: Path) -> None:
    """Snippets that load something else than the repo are named, also without its namespace."""
    snippet = (
        '```python\nfrom transformers import pipeline\n\npipe = pipeline("text-classification", model="model")\n```\n'
    )
    (plain_copy / "README.md").write_text("---\nlicense: mit\n---\n\n# Model\n\n## How to use\n\n" + snippet)
    client = HubClient(Target(hub.endpoint, ALICE, "the test"))
    for depth in (Depth.QUICK, Depth.DEEP):
        options = PushOptions(path=plain_copy, name="model", namespace="acme", depth=depth)
        found = {finding.rule: finding for finding in prepare(options, client, lambda _: None).report.findings}
        assert found["USAGE004"].message == "the snippet loads model, not acme/model"
