"""Refresh the lists in hubpub/card/data/: licences, pipeline tags, libraries and languages, as the Hub has them.

    npm install @huggingface/tasks @huggingface/languages     # anywhere
    git clone https://github.com/huggingface/hub-docs
    pip install iso639-lang
    python scripts/refresh_hub_lists.py --npm node_modules --hub-docs hub-docs --date 2026-08

Only the lists, their sources and the date are written anew; aliases are kept, as they are written by hand. Needs node.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "hubpub" / "card" / "data"

_TASKS = """
const tasks = require(process.argv[1]);
const names = (of, key) => Object.fromEntries(Object.entries(of).map(([id, entry]) => [id, entry[key]]));
console.log(JSON.stringify({
    pipelines: names(tasks.PIPELINE_DATA, "name"),
    libraries: names(tasks.MODEL_LIBRARIES_UI_ELEMENTS, "prettyLabel"),
}))
"""
_LANGUAGES = """
const lists = require(process.argv[1]);
console.log(JSON.stringify([...Object.values(lists.LANGUAGES_ISO_639_1), ...Object.values(lists.LANGUAGES_ISO_639_3)]))
"""
_SPECIAL = {"multilingual": "Multilingual", "code": "Programming languages"}
# a second name is worth an alias when it is somebody's word for one language, in one or two words
_NAME = re.compile(r"[^\W\d_]+(?:[ -][^\W\d_]+)?")


def main() -> None:
    """Read what the arguments name, and write the data files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--npm", type=Path, required=True, help="node_modules with the two packages")
    parser.add_argument("--hub-docs", type=Path, required=True, help="a checkout of huggingface/hub-docs")
    parser.add_argument("--date", required=True, help="of the sources, such as 2026-08")
    options = parser.parse_args()
    tasks, tasks_version = _from_npm(options.npm / "@huggingface" / "tasks", _TASKS)
    entries, languages_version = _from_npm(options.npm / "@huggingface" / "languages", _LANGUAGES)
    table = (options.hub_docs / "docs" / "hub" / "repositories-licenses.md").read_text(encoding="utf-8")
    names, aliases, iso_version = languages(entries)
    source = f"npm @huggingface/tasks {tasks_version} (MIT), src/"
    _write("pipeline-tags.json", f"{source}pipelines.ts", options.date, tasks["pipelines"])
    _write("libraries.json", f"{source}model-libraries.ts", options.date, tasks["libraries"])
    _write("licences.json", None, options.date, licences(table))
    source = f"npm @huggingface/languages {languages_version} (MIT), with ISO 639 from PyPI iso639-lang {iso_version}"
    _write("languages.json", source, options.date, names, aliases)


def licences(table: str) -> list[str]:
    """The ids in the table of the Hub's documentation, in its order."""
    region = table.partition("<!-- region licenses -->")[2].partition("<!-- endregion")[0]
    return list(dict.fromkeys(re.findall(r"^\|[^|\n]+\|[ \t]*`([^`|\n]+)`[ \t]*\|", region, re.MULTILINE)))


def languages(entries: list[dict[str, str]]) -> tuple[dict[str, str], dict[str, str], str]:
    """(name by code, code by other name, version of the ISO tables) from the Hub's list and ISO 639."""
    import iso639

    names = dict(_SPECIAL)
    aliases: dict[str, str] = {}
    for entry in entries:
        names.setdefault(entry["code"], entry["name"])
    for language in iso639.iter_langs():
        for code in (language.pt1, language.pt2b, language.pt2t, language.pt3):
            if code:
                names.setdefault(code, language.name)
    for entry in entries:
        if len(entry["code"]) == 2:
            for name in re.split(r"[,;/()]", f"{entry['name']},{entry.get('nativeName', '')}"):
                word = name.strip().casefold()
                if _NAME.fullmatch(word) and word not in names:
                    aliases.setdefault(word, entry["code"])
    return names, aliases, metadata.version("iso639-lang")


def _from_npm(package: Path, program: str) -> tuple[Any, str]:
    """What the program prints about the package, and the version of the package."""
    done = subprocess.run(  # noqa: S603
        ["node", "-e", program, str(package.resolve())],  # noqa: S607
        capture_output=True,
        check=True,
    )
    version = json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
    return json.loads(done.stdout), version


def _write(name: str, source: str | None, date: str, ids: Any, derived: dict[str, str] | None = None) -> None:
    path = DATA / name
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    aliases = {**(derived or {}), **before.get("aliases", {})}
    kept = {key: value for key, value in before.items() if key not in ("source", "date", "ids", "aliases")}
    after = {"source": source or before["source"], "date": date, "ids": ids, **kept}
    if aliases:
        after["aliases"] = aliases
    path.write_text(json.dumps(after, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
