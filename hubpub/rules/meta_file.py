"""META047, META050 and META051: the card as a file, before anybody reads what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hubpub.card.metadata.comments import comments
from hubpub.card.metadata.edits import apply_edits
from hubpub.card.metadata.frontmatter import read_front_matter
from hubpub.core.findings import Edit, Fix, Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.rule import Fixable
from hubpub.rules.registry import CardSubject, card_rules

LFS_POINTER = "version https://git-lfs.github.com/spec/"

_REPOCARD = "https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/repocard.py"
_BOM = "\ufeff"
_LINE_END = Pattern(r"\r\n|\r|\n")
_NAMES = {"\r\n": "CR LF", "\n": "LF", "\r": "CR"}
_GITATTRIBUTES = ".gitattributes"


@card_rules.rule(
    "META047",
    "line-endings-bom",
    Severity.WARNING,
    summary="The card begins with a byte order mark, or mixes line endings.",
    why="The Hub reads metadata behind a byte order mark, while `ModelCard.load` sees none and writes a second block "
    "when it saves. Mixed line endings make every edit a change of the whole file.",
    bad="\ufeff---\nlicense: mit\n---\n",
    good="---\nlicense: mit\n---\n",
    hint="save the file as UTF-8 without a byte order mark, with one kind of line ending",
    source=_REPOCARD,
    fixable=Fixable.SAFE,
)
def line_endings_bom(subject: CardSubject) -> Iterator[Problem]:
    """A mark before the text, and lines that end in another way than most."""
    text = subject.card.text
    if text.startswith(_BOM) and not subject.card.is_blank and subject.undecodable is None:
        hidden = ": the Python client sees no metadata behind it" if subject.card.front_matter.found else ""
        severity = None if hidden else Severity.INFO
        fix = Fix("remove the byte order mark", True, (Edit(subject.path, 0, 1, ""),))
        message = f"the card begins with a byte order mark{hidden}"
        yield Problem(message, subject.path, 1, 1, fix=fix, severity=severity)
    yield from _mixed_line_ends(subject)


def _mixed_line_ends(subject: CardSubject) -> Iterator[Problem]:
    text = subject.card.text
    if "\r" not in text or subject.card.is_blank:
        return
    ends = list(_LINE_END.finditer(text))
    counts = Counter(end[0] for end in ends)
    if len(counts) == 1:
        return
    usual = counts.most_common(1)[0][0]
    others = [end for end in ends if end[0] != usual]
    line, column = subject.card.lines.place(others[0].start())
    told = ", ".join(f"{number:,} in {_NAMES[end]}" for end, number in counts.most_common())
    edits = tuple(Edit(subject.path, end.start(), end.end(), usual) for end in others)
    # a lone CR does not end a closing fence: with another line end the Hub may see a block that it has not seen
    mended = read_front_matter(apply_edits(text, ((edit.start, edit.end, edit.text) for edit in edits)))
    safe = mended.found == subject.card.front_matter.found
    fix = Fix(f"end every line in {_NAMES[usual]}", safe, edits)
    yield Problem(f"the lines end in different ways: {told}", subject.path, line, column, fix=fix)


@card_rules.rule(
    "META050",
    "metadata-comments-at-risk",
    Severity.INFO,
    summary="The metadata has comments, which huggingface_hub drops when it saves the card.",
    why="`metadata_update`, `ModelCard.save` and every tool that builds on them write the YAML anew: comments are "
    "lost, and so are quotes and the form of lists. 39 % of 706 cards with metadata did not come back as they were.",
    bad="---\nlicense: mit # checked by legal\n---",
    good="---\nlicense: mit\n---\n\n<!-- licence checked by legal -->",
    hint="keep what matters in the text of the card, or in a comment there",
    source=_REPOCARD,
    default=False,
)
def metadata_comments_at_risk(subject: CardSubject) -> Iterator[Problem]:
    """One finding, at the first comment."""
    spans = comments(subject.card.front_matter)
    if spans:
        line, column = subject.card.lines.place(spans[0][0])
        noun = "a comment" if len(spans) == 1 else f"{len(spans)} comments"
        yield Problem(f"the metadata has {noun}, which huggingface_hub drops", subject.path, line, column)


@card_rules.rule(
    "META051",
    "readme-is-lfs",
    Severity.ERROR,
    summary="The card is a git-LFS pointer, or .gitattributes would make it one.",
    why="The Hub reads metadata from git only: a README.md that is kept in LFS shows as a card without metadata, and a "
    "pointer as three lines about an oid.",
    bad="version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n",
    good="---\nlicense: mit\n---\n\n# My model\n",
    hint="keep it in git: git lfs untrack README.md, and remove the line that matches it from .gitattributes",
    source="https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md",
)
def readme_is_lfs(subject: CardSubject) -> Iterator[Problem]:
    """A pointer in place of the card, or a line of the folder's .gitattributes that sends it to LFS."""
    if subject.card.text.startswith(LFS_POINTER):
        hint = "fetch the real file: git lfs pull, or hf download"
        yield Problem("the card is a git-LFS pointer, not its text", subject.path, 1, 1, hint=hint)
        return
    folder = subject.folder
    if folder is None or _GITATTRIBUTES not in folder.root_names:
        return
    from hubpub.model.gitfiles import LARGEST, read_attributes

    if read_attributes(folder.text(_GITATTRIBUTES, LARGEST)).is_lfs(subject.path):
        yield Problem(
            f"{_GITATTRIBUTES} sends {subject.path} to git-LFS, where the Hub reads no metadata", _GITATTRIBUTES
        )
