"""The page in a browser: live, with findings in the margin or below, in light and dark, on a desk and on a phone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.browser import Browser, browser
from support.hostile_cards import HOSTILE
from support.previewing import Preview, previewing

FRONT = "---\nlicense: mit\nlanguage: en\n---\n"
PARAGRAPHS = "\n\n".join(
    f"Paragraph {number} of many, long enough to fill a line of the page." for number in range(120)
)
CARD = f"""{FRONT}# Title

![curve](assets/curve.svg) ![far](https://img.example.org/b.png)

##No blank

- item with TODO: write this

```python
print("a" + {"'x' + " * 40}"")
```

| {" | ".join(["a wide cell"] * 20)} |
|{"-|" * 20}
| {" | ".join(["value"] * 20)} |

{"x" * 300}

{PARAGRAPHS}
"""
SVG = "<svg xmlns='http://www.w3.org/2000/svg' width='20' height='10'><rect width='20' height='10'/></svg>"


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium")) as found:
        yield found


def write_card(root: Path) -> Path:
    folder = root / "model"
    (folder / "assets").mkdir(parents=True)
    (folder / "assets/curve.svg").write_text(SVG)
    path = folder / "README.md"
    path.write_text(CARD)
    return path


@pytest.fixture
def card(tmp_path: Path) -> Path:
    return write_card(tmp_path)


@pytest.fixture(scope="module")
def preview(tmp_path_factory: pytest.TempPathFactory, window: Browser) -> Iterator[Preview]:
    """A preview of the card above, which stays as it is."""
    with previewing(write_card(tmp_path_factory.mktemp("previewed"))) as running:
        yield running
        leave(window)


def leave(window: Browser) -> None:
    """Leave the page before its server ends, of whose end it would complain."""
    window.open("about:blank")
    window.console()


def wait_until(window: Browser, condition: str, seconds: float = 2.0) -> None:
    started = time.monotonic()
    while not window.run(f"return {condition}"):
        assert time.monotonic() - started < seconds, condition
        time.sleep(0.05)


@pytest.fixture
def own_preview(card: Path, window: Browser) -> Iterator[Preview]:
    with previewing(card) as running:
        yield running
        leave(window)


def test_follows_the_file_where_the_reader_is(own_preview: Preview, card: Path, window: Browser) -> None:
    preview = own_preview
    window.size(1280, 900)
    window.open(preview.address)
    wait_until(window, "document.querySelector('.live').textContent === 'live'")
    window.run("window.same = true; document.querySelector('.note details').open = true")
    window.run(
        "window.seen = [...document.querySelectorAll('.card p')].find(p => p.textContent.startsWith('Paragraph 60 '));"
        "window.seen.scrollIntoView({block: 'start', behavior: 'instant'}); scrollBy({top: -200, behavior: 'instant'})"
    )
    where = "[...document.querySelectorAll('.card p')].find(p => p.textContent.startsWith('Paragraph 60 '))"
    top = window.run(f"return {where}.getBoundingClientRect().top")
    card.write_text(CARD.replace("# Title", "# Another\n\nThis is new.\n\n- a\n- b\n- c\n\n## And this"))
    wait_until(window, "document.querySelector('.card h1').textContent === 'Another'")
    assert abs(window.run(f"return {where}.getBoundingClientRect().top") - top) < 2
    assert window.run("return window.same && !window.seen.isConnected")
    assert window.run("return document.querySelector('.note details').open")

    card.unlink()
    wait_until(window, "document.querySelector('.banner.error')", 4)
    assert "cannot be read" in window.run("return document.querySelector('.banner.error').textContent")
    (card.parent / "saved").write_text(CARD.replace("# Title", "# Back"))
    (card.parent / "saved").rename(card)
    wait_until(window, "document.querySelector('.card h1').textContent === 'Back'")
    assert not window.run("return document.querySelector('.banner.error')")

    (card.parent / "assets/curve.svg").write_text(SVG.replace("width='20'", "width='40'", 1))
    wait_until(window, "document.querySelector('.card img').naturalWidth === 40")
    card.write_text("---\nlicense: [\n---\n# Broken metadata\n")
    wait_until(window, "document.querySelector('.card h1').textContent === 'Broken metadata'")
    assert "META003" in window.run("return document.querySelector('.sheet').textContent")
    assert window.console() == []


def test_says_when_it_has_stopped(card: Path, window: Browser) -> None:
    with previewing(card) as running:
        window.open(running.address)
        wait_until(window, "document.querySelector('.live').textContent === 'live'")
        running.process.terminate()
        wait_until(window, "document.querySelector('.live').textContent === 'stopped'", 5)
    leave(window)


@pytest.mark.parametrize(
    ("width", "scheme"), [(1440, "light"), (1440, "dark"), (900, "light"), (390, "light"), (390, "dark")]
)
def test_fits_the_window_and_has_contrast(
    preview: Preview, window: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    window.prefer(scheme)
    window.size(width, 900)
    window.open(preview.address)
    assert window.run("return document.documentElement.scrollWidth <= innerWidth")
    assert window.run("return document.querySelector('.card img').naturalWidth") == 20
    # WCAG's contrast of every text that has one colour and a ground of its own or its parents'
    low = window.run("""
        const rgb = (colour) => colour.match(/[\\d.]+/g).map(Number);
        const light = (colour) => rgb(colour).slice(0, 3).map((part) => part / 255)
            .map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
            .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
        const ground = (element) => {
            for (let it = element; it; it = it.parentElement) {
                const colour = getComputedStyle(it).backgroundColor;
                if (rgb(colour)[3] !== 0) return colour;
            }
        };
        return [...document.querySelectorAll('body *')].filter((element) => element.offsetParent && !element.disabled
            && !element.closest(':disabled')
            && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())).map((element) => {
                const pair = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
                return [(pair[0] + 0.05) / (pair[1] + 0.05), element.className, element.textContent.slice(0, 30)];
            }).filter(([contrast]) => contrast < 4.5)
    """)
    assert low == []
    beside = window.run("""
        const note = document.querySelector('.card .note').getBoundingClientRect();
        const card = document.querySelector('.card').getBoundingClientRect();
        return note.left >= card.right;
    """)
    assert beside is (width > 1100)
    assert window.console() == []
    window.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 10_000


def test_notes_are_beside_their_blocks_and_below_them_on_a_phone(preview: Preview, window: Browser) -> None:
    places = """
        const note = [...document.querySelectorAll('.card .note')].find((it) => it.textContent.includes('No blank'));
        const block = [...document.querySelectorAll('.card p')].find((it) => it.textContent === '##No blank');
        const place = block.getBoundingClientRect();
        return [note.getBoundingClientRect().top, place.top, place.bottom];
    """
    window.size(1440, 900)
    window.open(preview.address)
    note, top, _ = window.run(places)
    assert abs(note - top) < 12
    window.size(390, 900)
    wait_until(window, "document.querySelector('.card .notes').getBoundingClientRect().left < 100")
    note, _, bottom = window.run(places)
    assert 0 <= note - bottom < 40
    assert not window.run("return document.querySelector('.card .note .hint').offsetParent")
    window.run("document.querySelector('.card .note summary').click()")
    assert window.run("return document.querySelector('.card .note .hint').offsetParent !== null")


def test_keys_and_buttons(preview: Preview, window: Browser) -> None:
    window.size(1440, 900)
    window.prefer("light")
    window.open(preview.address)
    key = "document.dispatchEvent(new KeyboardEvent('keydown', {key: '%s', bubbles: true}));"
    window.run(key % "n" + key % "n")
    assert window.run("return document.querySelectorAll('.note.current').length") == 1
    assert window.run("return document.activeElement.classList.contains('note')")
    all_notes = window.run("return [...document.querySelectorAll('.note')].filter((it) => it.offsetParent).length")
    warnings = window.run("return document.querySelectorAll('.note.warning').length")
    assert warnings
    window.run("document.querySelector('.count.warning').click()")
    shown = "return [...document.querySelectorAll('.note')].filter((it) => it.offsetParent).length"
    assert window.run(shown) == all_notes - warnings
    assert window.run("return document.querySelector('.count.warning').getAttribute('aria-pressed')") == "false"
    window.run("document.querySelector('.theme').click(); document.querySelector('.theme').click()")
    assert window.run("return getComputedStyle(document.documentElement).colorScheme") == "dark"
    assert window.run("return document.querySelector('.theme').getAttribute('aria-label')") == "Colours: dark"
    window.run("document.querySelector('.sections').open = true;" + key % "Escape")
    assert not window.run("return document.querySelector('.sections').open")
    window.run("localStorage.clear()")


def test_has_landmarks_names_and_one_of_each_id(preview: Preview, window: Browser) -> None:
    window.open(preview.address)
    assert (
        window.run("return ['main', 'footer', 'body > header'].map(it => document.querySelectorAll(it).length)")
        == [1] * 3
    )
    assert window.run(
        "return [...document.querySelectorAll('button')].every(it => it.ariaLabel || it.innerText.trim())"
    )
    assert window.run("return [...document.images].every(it => it.hasAttribute('alt'))")
    ids = window.run("return [...document.querySelectorAll('[id]')].map(it => it.id)")
    assert len(ids) == len(set(ids))
    assert window.run("return document.documentElement.lang") == "en"


def test_nothing_of_a_hostile_card_runs(card: Path, window: Browser) -> None:
    card.write_text(FRONT + "\n\n".join(HOSTILE.values()))
    with previewing(card) as running:
        window.console()
        window.open(running.address)
        assert window.run("return document.title") == "model · preview"
        assert window.run("return document.scripts.length") == 1
        assert (
            window.run("return document.forms.length + frames.length + document.querySelectorAll('svg, style').length")
            == 0
        )
        assert window.run("return location.href") == running.address
        loaded = window.run("return performance.getEntriesByType('resource').map(entry => entry.name)")
        assert all(address.startswith(running.address) for address in loaded)
        assert not [line for line in window.console() if "Content Security Policy" in line]
        # An SVG that is opened by itself has scripts, and they do not run.
        (card.parent / "evil.svg").write_text(
            "<svg xmlns='http://www.w3.org/2000/svg'><script>document.x = 1</script></svg>"
        )
        window.open(running.address + "files/evil.svg")
        assert window.run("return document.x === undefined")
        leave(window)


def test_one_file_works_by_itself(card: Path, window: Browser, tmp_path: Path) -> None:
    from hubpub.core.settings import Settings
    from hubpub.preview.page import whole_page
    from hubpub.preview.subject import read_subject

    page = tmp_path / "page.html"
    page.write_text(whole_page(read_subject(card, Settings()), remote_images=False))
    window.console()
    window.size(1440, 900)
    window.open(page.as_uri())
    assert window.run("return document.querySelector('.card img').naturalWidth") == 20
    assert window.run("return document.querySelectorAll('.flagged').length") > 1
    assert window.console() == []
