"""The comments in a card's metadata, which everybody loses who reads the YAML and writes it anew."""

from __future__ import annotations

import yaml

from hubpub.card.metadata.frontmatter import FrontMatter
from hubpub.card.metadata.yaml_block import LOADER, Span
from hubpub.core.pattern import Pattern

# Those of the Hub's own template say nothing of the model.
_TEMPLATE = Pattern(r"#\s*(?:For reference on (?:model|dataset) card metadata|Doc / guide:)")
_COMMENT = Pattern(r"#[^\r\n]*")


def comments(front_matter: FrontMatter) -> tuple[Span, ...]:
    """Where the comments of a readable block stand in the card, but for those of the Hub's template."""
    if front_matter.data is None or "#" not in front_matter.raw:
        return ()
    found: list[Span] = []
    behind = 0
    for token in yaml.scan(front_matter.raw, Loader=LOADER):
        # between two tokens there is nothing but blanks and comments
        between = _COMMENT.finditer(front_matter.raw, behind, max(behind, token.start_mark.index))
        found += (comment.span() for comment in between if not _TEMPLATE.match(comment[0]))
        behind = max(behind, token.end_mark.index)
    return tuple((front_matter.start + start, front_matter.start + end) for start, end in found)
