"""Write docs/rules: a page per rule and an index, from the declarations of the rules.

python scripts/write_rule_docs.py            # write what is missing or different, remove what has no rule
python scripts/write_rule_docs.py --check    # only say what would change; 1 when something would
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from hubpub.core.rule import Depth, Fixable, Needs, Rule
from hubpub.rules.catalogue import all_rules
from hubpub.rules.registry import card_rules

DOCS = Path(__file__).parents[1] / "docs" / "rules"

FAMILIES = {
    "CHAT": "chat templates",
    "CODE": "code that comes with the model",
    "CONF": "configuration",
    "EVAL": "the evaluation results of a card",
    "FILE": "files and folders",
    "LEGAL": "the licence and legal notes of a card",
    "LINK": "the links of a card",
    "LOAD": "loading the model",
    "META": "the metadata of a card",
    "SECRET": "secrets",
    "SECT": "the sections of a card",
    "TEXT": "the text of a card",
    "TOKEN": "tokenizers",
    "TRAIN": "the training that a card tells of",
    "USAGE": "the usage snippets of a card",
    "WEIGHT": "weights",
}
FIXES = {
    Fixable.NO: "None: what belongs there only a person knows.",
    Fixable.SAFE: "`--fix` mends what can be mended: it keeps the meaning, or follows from files in the folder.",
    Fixable.UNSAFE: "`--fix --unsafe-fixes` makes a change that may not be what was meant; look at it with `--diff`.",
}
NOTE = "<!-- written by scripts/write_rule_docs.py from the declaration of the rule -->\n"


def pages() -> dict[str, str]:
    """The text of each page by its file name."""
    rules = all_rules()
    cards = {rule.code for rule in card_rules}
    return {
        "README.md": _index(rules),
        **{f"{rule.code}.md": _page(rule, about_card=rule.code in cards) for rule in rules},
    }


def _index(rules: list[Rule[Any]]) -> str:
    parts = [
        f"{NOTE}\n# The rules of hubpub\n\n{len(rules)} rules. `hubpub check` runs those about a model folder, "
        "`hubpub lint` those about a card, `hubpub push` both. `hubpub rule CODE` shows a page in the terminal. How to "
        "select and silence rules is in [lint.md](../lint.md).\n"
    ]
    ordered = sorted(rules, key=lambda rule: rule.code)
    for family, members in groupby(ordered, key=lambda rule: rule.code.rstrip("0123456789")):
        about = FAMILIES.get(family, "")
        parts.append(f"\n## {family}{f': {about}' if about else ''}\n\n")
        parts.append("| Rule | Severity | Runs | Fix | What it finds |\n|---|---|---|---|---|\n")
        parts += [
            f"| [{rule.code}]({rule.code}.md) {rule.name} | {rule.severity.value} | {_runs(rule)} | "
            f"{rule.fixable.value or '-'} | {_cell(rule.summary)} |\n"
            for rule in members
        ]
    return "".join(parts)


def _page(rule: Rule[Any], *, about_card: bool) -> str:
    family = rule.code.rstrip("0123456789")
    verb = "lint" if about_card else "check"
    parts = [
        f"{NOTE}\n# {rule.code} {rule.name}\n\n{_prose(rule.summary)}\n\n"
        f"{rule.severity.value.capitalize()} · {_runs(rule)} · `hubpub {verb}` · family {family}"
        f"{f' ({FAMILIES[family]})' if family in FAMILIES else ''}\n\n"
        f"## Why\n\n{_prose(rule.why)}\n\n## Bad\n\n{_code(rule.bad, about_card)}\n"
        f"## Good\n\n{_code(rule.good, about_card)}"
    ]
    if rule.files:
        parts.append("\nwith these files beside the card:\n")
        parts += [f"\n`{name}`\n\n{_code(text, False)}" for name, text in _files(rule.files).items()]
    hint = rule.hint[:1].upper() + rule.hint[1:]
    parts.append(f"\n## What to do\n\n{_prose(hint)}.\n\n## Fix\n\n{FIXES[rule.fixable]}\n\n## How to silence it\n\n")
    parts.append(_silence(rule, about_card))
    source = f"<{rule.source}>" if rule.source.startswith("https://") else _prose(rule.source)
    parts.append(f"\n## Source\n\n{source}\n")
    return "".join(parts)


def _silence(rule: Rule[Any], about_card: bool) -> str:
    everywhere = f'`--ignore {rule.code}`, or `ignore = ["{rule.code}"]` in `[tool.hubpub]`.\n'
    if not about_card:
        return everywhere
    return (
        f"On one line `<!-- hubpub: ignore[{rule.code}] why -->`, in the metadata `# hubpub: ignore[{rule.code}] why`, "
        f"in the whole card `<!-- hubpub: ignore-file[{rule.code}] why -->`. Everywhere {everywhere}"
    )


def _runs(rule: Rule[Any]) -> str:
    """When a rule runs, in a few words."""
    if rule.needs is Needs.NETWORK:
        return "with `--online`"
    words = "by default" if rule.default else f"with `--extend-select {rule.code}`"
    words += ", when the model folder is given" if rule.needs is Needs.FOLDER else ""
    return words + ("" if rule.depth is Depth.QUICK else f", with `--{rule.depth.value}`")


def _files(files: Mapping[str, str]) -> dict[str, str]:
    return {name: text if len(text) <= 2000 else text[:2000] + "\n..." for name, text in files.items()}


def _code(text: str, markdown: bool) -> str:
    text = text.strip("\n").replace("\r", "").replace("\ufeff", "(byte order mark)")
    text = "".join(char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text)
    if not text:
        return "(nothing)\n"
    longest = max((len(line) - len(line.lstrip("`")) for line in text.split("\n")), default=0)
    fence = "`" * max(3, longest + 1, *(len(run) + 1 for run in _runs_of_backticks(text)))
    return f"{fence}{'markdown' if markdown else 'text'}\n{text}\n{fence}\n"


def _runs_of_backticks(text: str) -> list[str]:
    return [run for run in "".join(char if char == "`" else " " for char in text).split() if run] or [""]


def _prose(text: str) -> str:
    """Text of a declaration as Markdown: what looks like HTML is text."""
    return text.replace("<", "&lt;")


def _cell(text: str) -> str:
    return _prose(text).replace("|", "&#124;").replace("\n", " ")


def main() -> int:
    """Write the pages, or say which differ; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; 1 when a page is not as it should be")
    arguments = parser.parse_args()
    wanted = pages()
    there = {path.name: path.read_text("utf-8") for path in DOCS.glob("*.md")}
    changed = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
    for name in changed:
        print(f"{'differs' if arguments.check else 'wrote' if name in wanted else 'removed'}: docs/rules/{name}")  # noqa: T201
        if arguments.check:
            continue
        if name in wanted:
            DOCS.mkdir(parents=True, exist_ok=True)
            (DOCS / name).write_text(wanted[name], "utf-8")
        else:
            (DOCS / name).unlink()
    return 1 if changed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
