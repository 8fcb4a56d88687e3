"""What stands in a section once comments, gaps, placeholders and boilerplate are taken away.

Words fill a section, and so do a table with values and code. A picture alone does not: it says nothing to a search, or
to a reader who cannot see it. A link alone is enough where the matter has a page of its own: data sets have a card,
scripts a repository, results a paper.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from hubpub.card.document import Block, Card
from hubpub.card.gaps import without_gaps
from hubpub.card.placeholders import without_placeholders
from hubpub.core.pattern import Pattern

_PICTURE = Pattern(
    r"!\[[^\[\]\n]{0,300}\]\([^()\n]{0,2000}\)|<img\b[^<>]{0,2000}>", re.IGNORECASE, clues=("![", "<img")
)
_LINK_TARGET = Pattern(r"(?<=\])\([^()\n]{0,2000}\)|https?://\S+|<[^<>\n]{1,2000}>")
_LINK = Pattern(r"https?://|\]\((?!#)[^)\s]|doi\.org|arxiv\W", re.IGNORECASE)
_WORD = Pattern(r"\w[\w'’.-]*")
# scripts that put no blanks between words; two characters make about one word
_UNSPACED = Pattern(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_MEASURED = Pattern(r"\d[.,]\d|\d\s?%")

_FOLDED_AWAY = Pattern(r"<summary\b[^<>]{0,200}>[\s\S]{0,200}?</summary\s*>", re.IGNORECASE, clues=("<summary",))
# What annotated templates say of each section, in italics on a line of its own.
_INSTRUCTION = Pattern(
    r"^[ \t>]*([*_]{1,3})(?:This section |Section Overview\b|What are |Provide |List how |List \(and |Write 1-2 |"
    r"Ideally this links |Detail throughput|Clearly define |Name, and link |You can name the |Use this field when |"
    r"Results should be based on |What do the results say)[^\r\n]*\1[ \t]*(?=[\r\n]|\Z)",
    re.MULTILINE,
)
_NOT_APPLICABLE = Pattern(
    r"(?:n\s?/\s?a|none|nil|null|nothing|not applicable|not available|no|-{1,3}|—|–|无|暂无|不适用|無|なし|該当なし|"
    r"keine|entfällt|nicht zutreffend|aucune?|sans objet|non applicable|ningun[oa]|no aplica|no procede|nenhum[a]?|"
    r"não (?:há|se aplica|aplicável))[.。]?",
    re.IGNORECASE,
)
_REASONED = Pattern(
    r"(?:n\s?/\s?a|none|not applicable|not available)\s*(?:[:;,(—–-]|because\b)\s*\w+(?:\W+\w+){2}",
    re.IGNORECASE,
    clues=("/", "none", "not a"),
)
_HTML_CELL = Pattern(r"<td\b[^<>]{0,500}>\s{0,100}[^<\s]", re.IGNORECASE, clues=("<td",))
_HTML_CODE = Pattern(
    r"<pre\b[^<>]{0,500}>\s{0,100}(?:<code\b[^<>]{0,500}>)?\s{0,100}[^<\s]", re.IGNORECASE, clues=("<pre",)
)
_BIBTEX = Pattern(r"\s*@\w+\s*\{")
_NO_CODE = Pattern(r"^[ \t]*(?:(?:#|//|--).*|\.{3}|…|pass|\[[^\]\n]*\]|TODO\b.*)$", re.MULTILINE)


class Filling(NamedTuple):
    """What stands in a section.

    Attributes:
        words: of the running text.
        code: whether there is code.
        table: whether there is a table with values.
        link: whether a link leads elsewhere.
        measured: whether there is a measured number: "Accuracy: 0.91".
        reasoned: whether it says why there is nothing to say: "N/A: no fine-tuning was done".
        not_applicable: whether all that it says is "N/A", "None" or "-".
        picture: whether there is a picture.
    """

    words: int
    code: bool
    table: bool
    link: bool
    measured: bool
    reasoned: bool
    not_applicable: bool
    picture: bool

    @property
    def is_nothing(self) -> bool:
        """Whether nothing stands there at all, pictures aside."""
        return not (self.words or self.code or self.table or self.link)


def filling(card: Card, blocks: Iterable[Block]) -> Filling:
    """What those blocks of a card say."""
    blocks = tuple(blocks)
    source = "\n".join(card.text[block.start : block.end] for block in blocks if block.kind in ("text", "html"))
    text = without_placeholders(_INSTRUCTION.sub("", _FOLDED_AWAY.sub(" ", without_gaps(source))))
    written = _PICTURE.sub("", text)
    only = _LINK_TARGET.sub(" ", without_gaps(source)).strip(" \t\r\n*_>`.")
    return Filling(
        words=count_words(written),
        code=any(block.kind == "code" and _is_code(block.text) for block in blocks) or bool(_HTML_CODE.search(text)),
        table=any(block.kind == "table" and _has_values(card.text[block.start : block.end]) for block in blocks)
        or bool(_HTML_CELL.search(text)),
        link=bool(_LINK.search(written)),
        measured=bool(_MEASURED.search(_LINK_TARGET.sub(" ", written))),
        reasoned=len(only) < 2000 and bool(_REASONED.match(only)),
        not_applicable=len(only) < 40 and bool(_NOT_APPLICABLE.fullmatch(only)),
        picture=bool(_PICTURE.search(source)),
    )


def count_words(markdown: str) -> int:
    """The words of a text without its link targets; two characters to a word where no blanks divide them."""
    bare = _LINK_TARGET.sub(" ", _PICTURE.sub("", markdown))
    if bare.isascii():
        return len(_WORD.findall(bare))
    unspaced = len(_UNSPACED.findall(bare))
    return len(_WORD.findall(_UNSPACED.sub(" ", bare))) + unspaced // 2


def tells(value: str) -> bool:
    """Whether a field's value says anything; "None" is an answer, a placeholder is not."""
    bare = without_placeholders(f"x: {value}" if _NOT_APPLICABLE.fullmatch(value.strip()) is None else "x")
    return bool(count_words(_PICTURE.sub("", bare)) > (1 if ":" in bare else 0) or _LINK.search(bare))


def is_not_applicable(text: str) -> bool:
    """Whether a text says "N/A", "None" or "-", and nothing else."""
    return bool(_NOT_APPLICABLE.fullmatch(text.strip(" \t\r\n*_>`.")))


def _is_code(code: str) -> bool:
    return not _BIBTEX.match(code) and bool(re.search(r"\w", _NO_CODE.sub("", code)))


def _has_values(table: str) -> bool:
    """Whether a cell behind the first of its row says anything; in a table of one column, any cell."""
    for row in table.splitlines()[2:]:
        cells = [cell.strip() for cell in row.strip().strip("|").split("|")]
        for cell in cells[1:] or cells:
            if cell and not is_not_applicable(cell) and count_words(without_placeholders(_PICTURE.sub("x", cell))):
                return True
    return False
