"""A picture of a card: a file of the repo, shown with a text that says the same to those who do not see it."""

from __future__ import annotations

from dataclasses import dataclass

PICTURE_FOLDER = "assets"
"""Where pictures are, in a model's folder."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture.

    Attributes:
        path: in the model's folder.
        alt: what it shows, with the numbers; plain text in one line.
        caption: what it is, and the file that its numbers come from; plain text in one line.
        section: id of the section that it belongs to, as those of `hubpub.card.sections`.
        content: its bytes; b"" until it is drawn.
    """

    path: str
    alt: str
    caption: str
    section: str
    content: bytes = b""
