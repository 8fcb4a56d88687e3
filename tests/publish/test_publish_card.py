from __future__ import annotations

import pytest

from hubpub.core.errors import ConflictError
from hubpub.publish.card import (
    CardChoice,
    CardSource,
    PublishedCard,
    card_trailer,
    choose_card,
    last_published_card,
    sha256_hex,
)
from hubpub.publish.client import Commit

RENDERED = b"rendered by hubpub"


def choose(
    local: bytes | None,
    remote: bytes | None,
    published: tuple[CardSource, bytes] | None,
    prefer: CardSource | None = None,
) -> CardSource:
    last = PublishedCard(published[0], sha256_hex(published[1])) if published else None
    choice = choose_card(local, remote, last, lambda: RENDERED, prefer)
    assert (
        choice.content
        == {CardSource.FOLDER: local, CardSource.HUB: remote, CardSource.RENDERED: RENDERED}[choice.source]
    )
    return choice.source


def test_no_card_anywhere_renders_one() -> None:
    assert choose(None, None, None) is CardSource.RENDERED


def test_what_hubpub_rendered_is_rendered_again() -> None:
    assert choose(None, b"old", (CardSource.RENDERED, b"old")) is CardSource.RENDERED


@pytest.mark.parametrize(
    "published",
    [None, (CardSource.RENDERED, b"what it was before the edit"), (CardSource.FOLDER, b"by hand")],
    ids=["never published by hubpub", "edited on the hub", "written in the folder, which lacks it now"],
)
def test_a_persons_card_on_the_hub_stays(published: tuple[CardSource, bytes] | None) -> None:
    assert choose(None, b"by hand", published) is CardSource.HUB


def test_the_folders_card_wins_over_an_unedited_one() -> None:
    assert choose(b"new", b"old", (CardSource.FOLDER, b"old")) is CardSource.FOLDER
    assert choose(b"new", b"old", (CardSource.RENDERED, b"old")) is CardSource.FOLDER
    assert choose(b"same", b"same", None) is CardSource.FOLDER
    assert choose(b"new", None, None) is CardSource.FOLDER


def test_an_edit_on_the_hub_survives_a_push_of_the_old_card() -> None:
    assert choose(b"old", b"edited", (CardSource.FOLDER, b"old")) is CardSource.HUB


@pytest.mark.parametrize("published", [None, (CardSource.FOLDER, b"base")])
def test_two_persons_texts_are_a_conflict_until_one_is_chosen(
    published: tuple[CardSource, bytes] | None,
) -> None:
    with pytest.raises(ConflictError) as caught:
        choose(b"mine", b"theirs", published)
    assert "--card folder or --card hub" in caught.value.next_step
    assert choose(b"mine", b"theirs", published, CardSource.FOLDER) is CardSource.FOLDER
    assert choose(b"mine", b"theirs", published, CardSource.HUB) is CardSource.HUB


def test_the_diff_of_a_card() -> None:
    before = b"# Model\n\nOne.\nmy token: hf_" + b"aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dF3h" + b"\n"
    diff = CardChoice(CardSource.FOLDER, b"# Model\n\nTwo.\n", "", before).diff
    assert diff.splitlines()[-3:] == ["-One.", "-(a line that holds a secret)", "+Two."]
    assert CardChoice(CardSource.FOLDER, b"new", "").diff == ""
    assert CardChoice(CardSource.HUB, b"same", "", b"same").diff == ""


def test_the_trailer_is_read_back_from_the_newest_commit_that_has_one() -> None:
    new = card_trailer(CardChoice(CardSource.FOLDER, b"new", ""))
    old = card_trailer(CardChoice(CardSource.RENDERED, b"old", ""))
    history = [
        Commit("3", "edit on the hub", ""),
        Commit("2", "t", f"Published by hubpub.\n\n{new}\n"),
        Commit("1", "t", str(old)),
    ]
    assert last_published_card(history) == PublishedCard(CardSource.FOLDER, sha256_hex(b"new"))
    assert last_published_card(history[:1]) is None
    assert card_trailer(CardChoice(CardSource.HUB, b"theirs", "")) is None
