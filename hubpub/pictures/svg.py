"""From matplotlib's SVG to one that is small, always the same, and readable in light and dark.

matplotlib says everything in `style` attributes, which a strict content security policy ignores; here they become
presentation attributes. Colours are those of a light page; a style sheet replaces each by its dark partner where the
reader prefers dark pages. The picture has a background of its own, so that it is readable also where page and
preference differ: no single grey has enough contrast on both white and GitHub's #0d1117 (at most 4.3:1).
"""

from __future__ import annotations

import hashlib
import re
from xml.etree import ElementTree

# name -> (on a light page, on a dark page); the light ones must all differ, as they are what is replaced.
PALETTE = {
    "background": ("#ffffff", "#0d1117"),
    "border": ("#d1d9e0", "#3d444d"),
    "text": ("#1f2328", "#f0f6fc"),
    "muted": ("#59636e", "#9198a1"),
    "grid": ("#e4e8ec", "#262c36"),
    "blue": ("#0969da", "#4493f8"),
    "orange": ("#bc4c00", "#f0883e"),
    "green": ("#1a7f37", "#3fb950"),
    "purple": ("#8250df", "#ab7df8"),
    "pink": ("#bf3989", "#db61a2"),
    "faint": ("#b3d4f8", "#1d4272"),
    "cell0": ("#f6f8fa", "#151b23"),
    "cell1": ("#e6f1fd", "#10233f"),
    "cell2": ("#c9e2fb", "#12315c"),
    "cell3": ("#a5cdf7", "#154382"),
    "cell4": ("#2f7fdc", "#1f5fb8"),
    "cell5": ("#0a5cc0", "#5ea5fa"),
    "cell6": ("#08458f", "#a8d1ff"),
    "ink0": ("#59636f", "#9198a2"),
    "ink1": ("#1f2329", "#f0f6fb"),
    "ink2": ("#1f232a", "#f0f6fa"),
    "ink3": ("#1f232b", "#f0f6f9"),
    "ink4": ("#000001", "#fffffe"),
    "ink5": ("#fffffd", "#000002"),
    "ink6": ("#fffffb", "#000003"),
}
SERIES = ("blue", "orange", "green", "purple", "pink")
FONTS = "-apple-system,BlinkMacSystemFont,'Segoe UI','Noto Sans',Helvetica,Arial,sans-serif"

_MARK = re.compile(rb"<!-- hubpub:picture data=([0-9a-f]{16}) sha256=([0-9a-f]{16}) -->\n")
_NUMBER = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
_KEPT_STYLES = frozenset(
    [
        "fill",
        "stroke",
        "stroke-width",
        "stroke-linecap",
        "stroke-linejoin",
        "stroke-dasharray",
        "text-anchor",
        "font-weight",
    ]
)
_FONT = re.compile(r"(?:(?P<weight>bold|normal|\d00) )?(?P<size>[\d.]+)px .*")
_SVG, _LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"


def light(name: str) -> str:
    """A colour of the palette, as it is drawn."""
    return PALETTE[name][0]


def clean_svg(drawn: str) -> bytes:
    """The picture as it is published, without its mark.

    Args:
        drawn: what matplotlib wrote for a figure of ours.
    """
    root = ElementTree.fromstring(drawn)  # noqa: S314 -- made by us in this process
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{{{_SVG}}}metadata" or _plain(child.tag) == "style":
                parent.remove(child)
    used = _used(root)
    for element in root.iter():
        _tidy(element, used)
    _drop_empty(root)
    _, _, width, height = root.attrib["viewBox"].split()
    root.attrib.clear()
    root.attrib.update(
        {
            "viewBox": f"0 0 {width} {height}",
            "width": width,
            "height": height,
            "role": "img",
            "font-family": FONTS,
            "stroke-linejoin": "round",
        }
    )
    style = ElementTree.Element(f"{{{_SVG}}}style")
    style.text = _dark_style({element.get(name, "") for element in root.iter() for name in ("fill", "stroke")})
    root.insert(0, style)
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _LINK)
    text = ElementTree.tostring(root, encoding="unicode").replace(" />", "/>")
    return f"{text}\n".encode()


def marked(content: bytes, data: str) -> bytes:
    """The content with the comment by which hubpub knows its own pictures.

    Args:
        content: of the SVG.
        data: hash of what it shows.
    """
    return b"<!-- hubpub:picture data=%s sha256=%s -->\n%s" % (data.encode(), _hash(content), content)


def read_mark(content: bytes) -> str | None:
    """The hash of what a picture shows, when hubpub drew it and nobody has changed it since; None for others."""
    found = _MARK.match(content)
    if found is None or found[2] != _hash(content[found.end() :]):
        return None
    return found[1].decode()


def _hash(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest()[:16].encode()


def _plain(tag: str) -> str:
    return tag.rpartition("}")[2]


def _used(root: ElementTree.Element) -> set[str]:
    """The ids that something refers to."""
    values = [value for element in root.iter() for value in element.attrib.values()]
    return {name for value in values for name in re.findall(r"(?:\A|url\()#([\w.-]+)", value)}


def _tidy(element: ElementTree.Element, used: set[str]) -> None:
    attributes = dict(element.attrib)
    element.attrib.clear()
    for name, value in attributes.items():
        if name == "style":
            element.attrib.update(_presentation(value))
        elif name != "id" or value in used:
            element.attrib[name] = _NUMBER.sub(_rounded, value) if name != "id" and "#" not in value else value
    if element.attrib.get("d"):
        element.attrib["d"] = " ".join(element.attrib["d"].split())
    if element.text is not None and element.text.isspace():
        element.text = None
    element.tail = None


def _presentation(style: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in style.split(";"):
        name, _, value = (piece.strip() for piece in part.partition(":"))
        if name == "font" and (font := _FONT.fullmatch(value)):  # of matplotlib before 3.10
            found["font-size"], found["font-weight"] = font["size"], font["weight"] or "400"
        elif name == "font-size":
            found[name] = value.removesuffix("px")
        elif name in _KEPT_STYLES:
            found[name] = _NUMBER.sub(_rounded, value)
    if found.get("font-weight") in ("normal", "400"):
        del found["font-weight"]
    return found


def _rounded(match: re.Match[str]) -> str:
    return f"{float(match[0]):.2f}".rstrip("0").rstrip(".") if abs(float(match[0])) >= 0.005 else "0"


def _drop_empty(element: ElementTree.Element) -> None:
    for child in list(element):
        _drop_empty(child)
        if _plain(child.tag) in ("g", "defs") and not len(child) and not (child.text or "").strip():
            element.remove(child)


def _dark_style(used: set[str]) -> str:
    rules = [
        f'[{attribute}="{bright}"]{{{attribute}:{dark}}}'
        for bright, dark in PALETTE.values()
        for attribute in ("fill", "stroke")
        if bright in used
    ]
    return f"@media (prefers-color-scheme:dark){{{''.join(rules)}}}"
