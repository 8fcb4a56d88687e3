"""What a card means, and what each safe fix may change of it.

A fix of the metadata may change the keys that its rule is about, in a way that keeps the words of the author where the
rule is about their form. A fix of the text may change what one of the blurs below hides, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hubpub.card.metadata.frontmatter import FrontMatter, read_front_matter

Blur = Callable[[str], str]

# Keys that are added, or whose value is another one afterwards.
_SETS: Mapping[str, tuple[str, ...]] = {
    "META011": ("license",),
    "META012": ("license", "license_name", "license_link"),
    "META013": ("license_name", "license_link"),
    "META014": ("license_link",),
    "META020": ("language", "language_bcp47"),
    "META021": ("language",),
    "META023": ("pipeline_tag",),
    "META024": ("pipeline_tag",),
    "META026": ("library_name",),
    "META027": ("library_name",),
    "META028": ("library_name",),
    "META029": ("base_model", "base_model_relation"),
    "META030": ("base_model",),
    "META032": ("base_model_relation",),
    "META033": ("base_model_relation",),
    "META035": ("datasets",),
    "META036": ("metrics",),
    "META039": ("tags",),
    "META042": ("thumbnail",),
    "META045": ("co2_eq_emissions",),
    "META046": ("new_version",),
    "EVAL010": ("metrics",),
    "EVAL016": ("model-index",),
    "EVAL018": ("model-index",),
    "EVAL021": ("model-index",),
}
# Keys whose words stay: they are quoted, put into a list, or told apart.
_FORMS: Mapping[str, tuple[str, ...]] = {
    "META037": ("metrics",),
    "META038": ("tags",),
    "META040": ("widget",),
    "EVAL005": ("model-index",),
}
# Rules that mend how any key is written.
_OF_ALL_KEYS = ("META008", "META009")

_TAG = re.compile(r"<[^<>]*>")
_CODE = re.compile(r"<code[^<>]*>[\s\S]*?</code>")


def _without(pattern: str, by: str = "", *, times: int = 0) -> Blur:
    compiled = re.compile(pattern)
    return lambda html: compiled.sub(by, html, count=times)


def _in_code(pattern: str, by: str = "") -> Blur:
    compiled = re.compile(pattern)
    return lambda html: _CODE.sub(lambda code: compiled.sub(by, code[0]), html)


_NO_LINKS = _without(r"</?a\b[^<>]*>")
_NO_ADDRESSES = _without(r"https?:[^\s\"<>]*")
_NO_NUMBERS = _without(r"[0-9]+(?:[.,][0-9]+)*(?:e-?[0-9]+)?[A-Za-z]*")
_NO_TAGS = _without(_TAG.pattern, " ")

# What a rule's safe fixes may change of the rendered text, in the order in which it is hidden.
_BLURS: Mapping[str, tuple[Blur, ...]] = {
    "TEXT004": (_without(r"(?<=<h1>).*?(?=</h1>)"),),
    "EVAL018": (_NO_NUMBERS,),
    "LINK007": (_NO_LINKS, _without(r"\(([^()]*)\)\[[^\[\]]*\]", r"\1")),
    "LINK008": (_NO_LINKS, _without(r"&lt;|&gt;")),
    "LINK009": (_without(r"/(?:blob|raw)/"),),
    "LINK010": (_without(r"/(?:blob|resolve)/"),),
    "LINK011": (_NO_ADDRESSES,),
    "LINK006": (_without(r"https?://"),),
    "LINK013": (_NO_LINKS,),
    "LINK019": (_NO_LINKS, _NO_ADDRESSES, _without(r"[\[\]()<>]|&lt;|&gt;")),
    "SECT013": (_without(r"(?<=[<]h)[1-6]|(?<=[<]/h)[1-6]"),),
    "TEXT007": (_without(r"\[optional\]|\(optional\)"),),
    "TEXT010": (_without(r"[\[\]'\"]|&quot;"),),
    "TEXT020": (
        _without("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"),
        _without(r"<p>\s*</p>"),
    ),
    "TRAIN009": (_NO_NUMBERS,),
    "TRAIN014": (_NO_NUMBERS,),
    "TRAIN015": (_without(r"(?i)\b(?:bf|fp|float|bfloat|int|f|i)[0-9]+\b"),),
    "USAGE003": (_without(r"(?<=<code) class=\"[^\"]*\""),),
    "USAGE005": (_in_code(r"\bAuto\w+|\b\w+Pipeline\b"),),
    "USAGE006": (_in_code(r"\w+(?:\s*=\s*\w+)?,?|[().]"),),
    "USAGE016": (_in_code(r"\b(?:torch_)?dtype\b|\b\w+(?==)"),),
    "SECT014": (_NO_TAGS, _without(r"#")),
    "TRAIN010": (_NO_TAGS,),
    "LEGAL014": (_NO_TAGS, _without(r"[{},`~]|bibtex")),
}


def shown(text: str, body_start: int) -> str:
    """The rendered text behind the metadata, without comments, blanks made one."""
    from markdown_it import MarkdownIt

    html = MarkdownIt("commonmark").enable("table").render(text[body_start:].removeprefix("\ufeff"))
    return _spaced(re.sub(r"<!--[\s\S]*?(?:-->|\Z)", " ", html))


def differences(before: str, after: str, rules: Iterable[str]) -> list[str]:
    """What has changed of a card's meaning besides what the safe fixes of these rules may change."""
    codes = set(rules)
    old, new = read_front_matter(before), read_front_matter(after)
    found = []
    if "META002" not in codes:
        found += _data_differences(old, new, codes)
    blurs = [blur for code in _BLURS if code in codes for blur in _BLURS[code]]
    old_shown, new_shown = shown(before, old.body_start), shown(after, new.body_start)
    if "SECT001" in codes:
        new_shown = re.sub(r"<h1>.*?</h1>", "", new_shown, count=1)
    old_shown, new_shown = _blurred(old_shown, blurs), _blurred(new_shown, blurs)
    # a block that was not seen was part of the text
    if not (old_shown.endswith(new_shown) if "META002" in codes else old_shown == new_shown):
        found.append("what is shown differs")
    return found


def _data_differences(old: FrontMatter, new: FrontMatter, codes: set[str]) -> list[str]:
    if old.hub_data is None and new.hub_data is not None and "META010" in codes:
        return []  # tabs that nobody could read
    if not old.found and new.found:  # a card without a block has got one
        return _dialect_differences("the block", {}, new.data, codes)
    found = []
    if old.data is not None or new.hub_data is None:
        found += _dialect_differences("PyYAML", old.data, new.data, codes)
    return found + _dialect_differences("the Hub", old.hub_data, new.hub_data, codes)


def _dialect_differences(
    dialect: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, codes: set[str]
) -> list[str]:
    if old is None or new is None:
        return [] if old is new else [f"{dialect} can or cannot read it now"]
    old, new = _well_spelt(old, new, codes), dict(new)
    free = {key for code in codes for key in _SETS.get(code, ())}
    forms = {key for code in codes for key in _FORMS.get(code, ())}
    if set(_OF_ALL_KEYS) & codes:
        forms |= set(new)
    found = []
    for key in (*old, *(set(new) - set(old))):
        if key in free or (key in old and key in new and _same(old[key], new[key])):
            continue
        if key in forms and key in old and key in new and _words(old[key]) == _words(new[key]):
            continue
        if key in forms and dialect == "PyYAML" and set(_OF_ALL_KEYS) & codes and key in old and key in new:
            continue  # PyYAML read something else than was written; the Hub's reading is held
        found.append(f"{dialect} reads another {key}")
    return found


def _well_spelt(old: Mapping[str, Any], new: Mapping[str, Any], codes: set[str]) -> dict[str, Any]:
    """The old data under the new names of keys, when keys were renamed in their places."""
    if "META017" not in codes:
        return dict(old)
    gone, come = [key for key in old if key not in new], [key for key in new if key not in old]
    if len(gone) > len(come):  # one that was there under both names
        gone = [key for key in gone if old[key] not in new.values()]
    names = dict(zip(gone, come, strict=False))
    return {names.get(key, key): value for key, value in old.items() if key in new or key in gone}


def _same(old: Any, new: Any) -> bool:
    return repr(old) == repr(new)


def _words(value: Any) -> list[str]:
    """The words of a value, whatever holds them, lists and mappings alike."""
    return [word for word in re.split(r"[^\w.+-]+", str(value)) if word]


def _blurred(html: str, blurs: Iterable[Blur]) -> str:
    for blur in blurs:
        html = blur(html)
    return re.sub(r"\s+", "", html)


def _spaced(html: str) -> str:
    return " ".join(html.split())
