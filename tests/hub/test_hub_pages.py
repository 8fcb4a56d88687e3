"""The pages: what they show, to whom, and that a hostile card does nothing to who looks at it."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, get_session
from support.browser import Browser, browser
from support.hostile_cards import HOSTILE
from support.running_hub import ALICE, TestHub

from hubpub.card.html import LARGEST_CARD, card_html
from hubpub.hub.pages.site import readable_number, readable_size

REPO = "acme/model"
FRONT = "---\nlicense: mit\n---\n"
BASE = "/acme/model/resolve/main/"
CARD = """---
license: apache-2.0
language: [en, de]
tags: [demo]
---
# Model

A [file](sub/a.txt), the [web](https://example.org/x) and a [section](#in-figures).

![curve](plots/loss%20curve.png) ![badge](https://img.example.org/b.svg)

## In figures

| task | score |
|:-----|------:|
| sst2 | 0.91  |

```python
print("<b>not bold</b>")
```
<details><summary>more</summary><p align="center">centred</p></details>
"""
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cf000000030101 0018dd8db00000000049454e44ae426082".replace(" ", "")
)


@pytest.fixture
def model(hub: TestHub) -> TestHub:
    """A hub with a small model."""
    hub.api().create_repo(REPO)
    publish(hub, CARD)
    return hub


def publish(hub: TestHub, card: str) -> str:
    files = {"README.md": card.encode(), "plots/loss curve.png": PIXEL, "sub/a.txt": b"a" * 1500}
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    return hub.api().create_commit(REPO, operations, commit_message="A <b>title</b>").oid


def page(hub: TestHub, path: str, status: int = 200, token: str | None = None) -> str:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = get_session().get(f"{hub.endpoint}{path}", headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    return answer.text


def test_shows_card_metadata_files_and_history(model: TestHub) -> None:
    head = model.api().model_info(REPO).sha
    model.api().create_tag(REPO, tag="v1")
    model.api().create_branch(REPO, branch="dev/x")
    text = page(model, f"/{REPO}")
    base = f"/{REPO}/resolve/{head}/"
    assert '<h2 id="in-figures">In figures</h2>' in text
    assert '<td align="right">0.91</td>' in text
    assert 'print("&lt;b&gt;not bold&lt;/b&gt;")' in text
    assert f'<img src="{base}plots/loss%20curve.png" alt="curve">' in text
    assert f'<a href="{base}sub/a.txt" rel="noopener noreferrer nofollow">file</a>' in text
    assert 'href="#in-figures"' in text
    assert '<a href="https://img.example.org/b.svg" rel="noopener noreferrer nofollow">badge</a>' in text
    assert '<p align="center">centred</p>' in text
    assert '<span class="key">license</span> apache-2.0' in text
    assert "<li>demo</li>" in text
    assert re.search(r'sub/a\.txt</a></td><td title="1,500 bytes">1\.5 kB</td>', text)
    assert "A &lt;b&gt;title&lt;/b&gt;" in text
    assert f'href="/{REPO}/tree/v1"' in text
    assert f'href="/{REPO}/tree/dev%2Fx"' in text
    assert "<script" not in text
    for path in (f"/{REPO}/tree/dev%2Fx", f"/{REPO}/tree/v1", f"/{REPO}/commit/{head}"):
        assert "In figures" in page(model, path)
    assert "no such branch" in page(model, f"/{REPO}/tree/nope", 404)


def test_private_and_missing_repos_look_the_same(model: TestHub) -> None:
    model.api().create_repo("acme/secret", private=True)
    strangers = [page(model, "/acme/secret", 404), page(model, "/acme/nothing", 404)]
    assert strangers[0] == strangers[1]
    assert "missing" in page(model, "/acme/secret", token=ALICE)
    home = page(model, "/")
    assert f'<a href="/{REPO}">{REPO}</a>' in home
    assert "secret" not in home
    assert f"export HF_ENDPOINT={model.endpoint}" in home


def test_datasets_have_pages_too(hub: TestHub) -> None:
    hub.api().create_repo("acme/data", repo_type="dataset")
    assert "no card yet" in page(hub, "/datasets/acme/data")
    assert 'href="/datasets/acme/data"' in page(hub, "/")


@pytest.mark.parametrize("card", HOSTILE.values(), ids=HOSTILE)
def test_hostile_html_is_removed(card: str) -> None:
    html = card_html(card, BASE)
    tags = re.findall(r"<[a-zA-Z/!?][^>]*>?", html)
    for tag in tags:
        assert not re.match(
            r"</?(script|style|iframe|object|embed|form|input|button|svg|math|meta|base|link|main|body)", tag
        )
        assert not re.search(r"\son\w+=|\s(style|class|target|name)=", tag), tag
        for name, value in re.findall(r'\s(href|src)="([^"]*)"', tag):
            allowed = (BASE,) if name == "src" else (BASE, "#", "https://", "http://", "mailto:")
            assert value.startswith(allowed), tag
            assert ".." not in value


@pytest.mark.parametrize(
    "unit", ["[", "![", "*a", "`", "> ", "<b>", "|a", "[a](b", "<div>\n", "# a\n", "| a | b |\n|-|-|\n"]
)
def test_huge_cards_are_shown_in_time(unit: str) -> None:
    card = unit * (2 * LARGEST_CARD // len(unit))
    started = time.monotonic()
    card_html(card, BASE)
    assert time.monotonic() - started < 20


def test_a_card_that_is_too_long_says_so(model: TestHub) -> None:
    publish(model, FRONT + "# Long\n\n" + "word " * LARGEST_CARD)
    assert "longer than this page shows" in page(model, f"/{REPO}")


def test_a_card_that_is_not_text(model: TestHub) -> None:
    content = base64.b64encode(b"# \xff\xfe\x00 broken \xed\xa0\x80").decode()
    lines = [
        {"key": "header", "value": {"summary": "\u202e\x07\ud800"}},
        {"key": "file", "value": {"path": "README.md", "content": content, "encoding": "base64"}},
    ]
    answer = get_session().post(
        f"{model.endpoint}/api/models/{REPO}/commit/main",
        headers={"Authorization": f"Bearer {ALICE}"},
        content="\n".join(map(json.dumps, lines)),
    )
    assert answer.status_code == 200
    assert "broken" in page(model, f"/{REPO}")


def test_sizes_and_counts_in_short() -> None:
    assert [readable_size(n) for n in (0, 999, 1000, 90_868_376, 10**13)] == [
        "0 B",
        "999 B",
        "1 kB",
        "90.9 MB",
        "10 TB",
    ]
    assert [readable_number(n) for n in (7, 22_713_216, 671 * 10**9)] == ["7", "22.7M", "671B"]


# In a browser


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium")) as found:
        yield found


def test_nothing_of_a_hostile_card_runs(model: TestHub, window: Browser) -> None:
    publish(model, FRONT + "\n\n".join(HOSTILE.values()))
    window.console()
    window.open(f"{model.endpoint}/{REPO}")
    assert window.run("return document.title") == REPO
    assert window.run("return document.scripts.length + document.forms.length + frames.length") == 0
    assert window.run("return location.href") == f"{model.endpoint}/{REPO}"
    loaded = window.run("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert all(address.startswith(model.endpoint) for address in loaded)
    assert not [line for line in window.console() if "Content Security Policy" in line]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_fits_the_window_and_has_contrast(
    model: TestHub, window: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    publish(model, CARD + "\n| " + " | ".join(["a wide cell"] * 20) + " |\n" + "|-" * 20 + "|\n\n" + "x" * 300)
    window.prefer(scheme)
    window.size(width, 900)
    window.open(f"{model.endpoint}/{REPO}")
    assert window.run("return document.documentElement.scrollWidth <= innerWidth")
    assert window.run("return document.querySelector('.card img').naturalWidth") == 1
    colours = window.run(
        "const style = getComputedStyle(document.body); return [style.color, style.backgroundColor].map("
        "colour => colour.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0))"
    )
    text, background = colours
    assert abs(text - background) > 500
    assert (text > background) is (scheme == "dark")
    assert window.console() == []
    window.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 10_000


@pytest.mark.parametrize("piece", ["![", "[", "<![CDATA[", "[a](<"])
def test_a_paragraph_of_nothing_but_brackets_takes_no_time(piece: str) -> None:
    started = time.process_time()
    assert "and more" in card_html("<b>some</b> " + piece * (90_000 // len(piece)) + "\n\nand more", "/")
    assert time.process_time() - started < 1
