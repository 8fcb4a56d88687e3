"""TEXT: what came into a card from the machine or the program that wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hubpub.card.document import Card
from hubpub.card.own_id import REPO_ID
from hubpub.card.placeholders import prose
from hubpub.core.findings import Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.rule import Fixable, Needs
from hubpub.rules.placing import excerpt, fix_of, problem_at
from hubpub.rules.registry import CardSubject, card_rules

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder

_OBJECT = Pattern(
    r"<[\w.]{1,200} (?:object|instance) at 0x[0-9a-fA-F]+>|\b(?:Posix|Windows|PurePosix)Path\((?=['\"])",
    clues=(" at 0x", "Path("),
)
_STRING = r"(?:'[^'\"\[\]\r\n]{0,200}'|\"[^'\"\[\]\r\n]{0,200}\")"
_LIST = Pattern(
    rf"^[ \t>*+-]{{0,20}}\*\*[^*\r\n]{{1,60}}\*\*:?[ \t]*"
    rf"(?P<list>\[[ \t]*{_STRING}(?:,[ \t]*{_STRING}){{0,100}}[ \t]*\])"
    r"[ \t]*(?=[\r\n]|\Z)",
    re.MULTILINE,
)
_NONE = Pattern(
    r"^[ \t>*+-]{0,20}\*\*(?:License|Developed by|Language\(s\)(?: \(NLP\))?|Model type):?\*\*:?[ \t]*"
    r"(?P<none>None|nan)"
    r"[ \t]*(?=[\r\n]|\Z)",
    re.MULTILINE | re.IGNORECASE,
)
_ITEM = Pattern(r"'([^']*)'|\"([^\"]*)\"")

# A name that is somebody's own, in the home of a person; the others stand for anybody's.
_ANYBODY = (
    r"(?:<|\$|\{|\[|\.\.\.|\*|\w*user(?:name)?\b|you\b|your|my[-_]|me\b|name\b|ubuntu\b|ec2-user\b|jovyan\b|runner\b|app\b"
    r"|model\b|shared\b|Shared\b|Public\b|linuxbrew\b|node\b|vscode\b|foo\b|bar\b|xxx|example\b|path\b|work\b)"
)
_HOME = Pattern(
    rf"(?<![\w./~:$}}-])(?:/home/|/Users/|[A-Za-z]:\\{{1,2}}Users\\{{1,2}})(?!{_ANYBODY})(?P<user>[\w.-]{{1,64}})[/\\][\w.@+\\/-]{{1,300}}",
    re.IGNORECASE,
    clues=("/home/", "/users/", ":\\"),
)
_MACHINE = Pattern(
    r"(?<![\w./~:$}\])-])/(?:root/|content/drive/|kaggle/(?:input|working)/|workspace/|mnt/[\w-]+/|scratch/|gpfs\w*/|lustre\w*/"
    r"|data\d/)[\w.@+/-]{2,300}|(?<![\w/])[D-Zd-z]:\\{1,2}[\w .-]{1,60}\\[\w.\\-]{1,200}",
    clues=(
        "/root/",
        "/content/drive/",
        "/kaggle/",
        "/workspace/",
        "/mnt/",
        "/scratch/",
        "/gpfs",
        "/lustre",
        "/data",
        ":\\",
    ),
)
# The Hub rejects a path there, and the rule about it names it.
_NAMED_ELSEWHERE = ("base_model", "datasets", "license", "license_link", "thumbnail", "widget", "new_version")
_LOADS = Pattern(r"(?:from_pretrained|pipeline|SentenceTransformer|CrossEncoder|LLM)\([^()\n]{0,200}$")
_COPYISTS = ("trainer_state.json", "training_args.bin", "all_results.json")


@card_rules.rule(
    "TEXT010",
    "python-repr-leak",
    Severity.ERROR,
    summary="A Python value stands in the text as Python prints it.",
    why="The Hub's own template prints lists like that: - **Language(s) (NLP):** ['en', 'fr']. Objects print their "
    "address in memory, and what was never set prints None.",
    bad="# sentiment\n\n- **License:** ['mit']",
    good="# sentiment\n\n- **License:** mit",
    hint="write the value in words",
    source="https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/repocard.py",
    fixable=Fixable.SAFE,
)
def python_repr_leak(subject: CardSubject) -> Iterator[Problem]:
    """Objects and paths anywhere in text; lists and None as the value of a label."""
    for block in subject.card.blocks:
        if block.kind in ("code", "html"):
            continue
        source = prose(subject.card.text[block.start : block.end])
        for found in _OBJECT.finditer(source):
            message = f"a Python object was printed: {excerpt(source[found.start() : found.start() + 60])}"
            yield problem_at(subject, message, block.start + found.start())
        if "**" not in source:
            continue
        for found in _LIST.finditer(source):
            items = [first or second for first, second in _ITEM.findall(found["list"])]
            start, end = (block.start + at for at in found.span("list"))
            fix = fix_of(subject, "write the list in words", [(start, end, ", ".join(items))], safe=True)
            safe = all(item and not re.search(r"[*_`<\[\\|]", item) for item in items)
            message = f"a Python list was printed: {excerpt(found['list'])}"
            yield problem_at(subject, message, start, fix=fix if safe else None)
        for found in _NONE.finditer(source):
            yield problem_at(subject, f"a Python value was printed: {found['none']}", block.start + found.start("none"))


@card_rules.rule(
    "TEXT012",
    "copied-card",
    Severity.WARNING,
    summary="The card's title is the name of another model.",
    why="A fine-tuned model that was saved beside the README of its base is presented to everyone as the base model.",
    bad="# bert-base-uncased\n\nA model of English.",
    good="# sentiment\n\nA model of English.",
    hint="give the card the name of this model, and say what was changed",
    source="https://huggingface.co/docs/hub/model-cards",
    needs=Needs.FOLDER,
    files={"adapter_config.json": '{"base_model_name_or_path": "google-bert/bert-base-uncased", "peft_type": "LORA"}'},
)
def copied_card(subject: CardSubject) -> Iterator[Problem]:
    """A title that names the base model of an adapter or of a trained model, or another repo than the card's."""
    card = subject.card
    section = next((section for section in card.sections if section.level == 1), None)
    if section is None:
        return
    title = section.heading.strip()
    own = subject.repo_id
    if own and title.casefold() in (own.casefold(), own.rpartition("/")[2].casefold()):
        return
    base = _base_of(subject.folder) if subject.folder else None
    if base and title.casefold() in (base.casefold(), base.rpartition("/")[2].casefold()):
        message = f"the title {excerpt(title)} is that of the base model"
        yield problem_at(subject, message, section.heading_start)
    elif own and REPO_ID.fullmatch(title) and title.partition("/")[0].casefold() != own.partition("/")[0].casefold():
        yield problem_at(subject, f"the title is that of another repo, {title}", section.heading_start)


@card_rules.rule(
    "TEXT013",
    "local-path-leak",
    Severity.ERROR,
    summary="The card shows a path of one machine.",
    why="The Trainer and PEFT write the folder that a model was loaded from in place of its name: "
    "fine-tuned version of /root/.cache/... Readers cannot open it, and it tells them who works on which machine.",
    bad="This model is a fine-tuned version of [/home/alice/runs/bert](https://huggingface.co//home/alice/runs/bert).",
    good="This model is a fine-tuned version of [bert-base-uncased](https://huggingface.co/google-bert/bert-base-uncased).",
    hint="write the id of the repo, or a path from the folder of the model",
    source="https://github.com/huggingface/transformers/issues/33922",
)
def local_path_leak(subject: CardSubject) -> Iterator[Problem]:
    """Paths of machines in text and metadata, people's homes in code as well; one problem a line."""
    lines = set()
    for start, path in sorted(_local_paths(subject.card)):
        line = subject.card.lines.place(start)[0]
        if line not in lines:
            lines.add(line)
            # /workspace and the like may be where the reader is told to put something
            severity = None if _HOME.match(path) else Severity.WARNING
            yield problem_at(subject, f"a path of one machine: {excerpt(path)}", start, severity=severity)


def _local_paths(card: Card) -> Iterator[tuple[int, str]]:
    if "/" not in card.text and "\\" not in card.text:
        return
    if card.front_matter.data is not None:
        for path, (start, end) in card.front_matter.values.items():
            if path and path[0] not in _NAMED_ELSEWHERE and "\n" not in card.text[start:end]:
                for pattern in (_HOME, _MACHINE):
                    yield from ((found.start(), found[0]) for found in pattern.finditer(card.text, start, end))
    for block in card.blocks:
        source = card.text[block.start : block.end]
        if "/" not in source and "\\" not in source:
            continue
        for found in _HOME.finditer(source):
            # that a snippet loads what lies on one machine is told as such
            if block.kind != "code" or not _LOADS.search(source[max(0, found.start() - 250) : found.start()]):
                yield block.start + found.start(), found[0]
        if block.kind != "code":
            yield from ((block.start + found.start(), found[0]) for found in _MACHINE.finditer(prose(source)))


def _base_of(folder: ModelFolder) -> str | None:
    """The repo that the model in the folder was made from; None when it may be the original itself."""
    config = folder.adapter_config
    key = "base_model_name_or_path"
    if config is None and any(folder.entry(name) for name in _COPYISTS):
        config, key = folder.config, "_name_or_path"
    value = config.get(key) if config is not None else None
    if isinstance(value, str) and re.fullmatch(r"[\w.-]{1,96}(?:/[\w.-]{1,96})?", value):
        return value
    return None
