from __future__ import annotations

from pathlib import Path

import pytest
from support.linting import codes_of, findings_of, fixed, subject


def codes(text: str, prefix: str = "LINK") -> list[str]:
    return [code for code in codes_of(subject(text), prefix) if code not in ("LINK008", "LINK017")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[a](https://x.test)", []),
        ("![](https://x.test/a.png)", ["LINK003"]),
        ("<img src='https://x.test/a.png'>", ["LINK003"]),
        ("<img alt='' src='https://x.test/a.png'>", []),
        ("<img aria-hidden='true' src='https://x.test/a.png'>", []),
        ("![]()", ["LINK004"]),
        ("[](https://x.test)", ["LINK004"]),
        ("[a](#)", ["LINK004"]),
        ("<a href=''>a</a>", ["LINK004"]),
        ("<a name='x'></a> [a](#x)", []),
        ("[![a](https://x.test/a.png)](https://x.test)", []),
        ("<a href='https://x.test'><img alt='a' src='https://x.test/a.png'></a>", []),
        ("`[a]()` is empty", []),
        ("[a](#uses--limits)\n\n# Uses & limits", []),
        ("[a](#Uses-Limits)\n\n# Uses & limits", []),
        ("[a](#top)", []),
        ("[a](#usage)\n\n```\n# Usage\n```", ["LINK005"]),
        ("[a](#emoji)\n\n## 🤗 Emoji", []),
        ("(a)[https://x.test]", ["LINK007"]),
        ("f(x)[0] and (see)[1], (a)[^1]", []),
        ("`(a)[https://x.test]`", []),
        ("![a](https://github.com/o/r/blob/main/a.png?raw=true)", []),
        ("[a](https://github.com/o/r/blob/main/a.png)", []),
        ("<video src='https://huggingface.co/o/r/blob/main/a.mp4'></video>", ["LINK010"]),
        ("[a](https://huggingface.co/o/r/blob/main/a.py)", []),
        ("[a](https://huggingface.co/docs/transformers/index)", []),
        ("[a](https://github.com/huggingface/transformers/tree/main/examples)", []),
        ("[arXiv:1810.04805](https://arxiv.org/abs/1810.04805v2) and arXiv:1810.04805", []),
        ("https://huggingface.co/papers/1810.04805 is arXiv:1810.04805", []),
        ("```\njournal={arXiv preprint arXiv:1810.04805}\n```", ["LINK013"]),
        ("version 1810.04805", []),
        ("Open http://localhost:8000 in a browser", []),
        ("[http://localhost:8000](http://localhost:8000)", []),
        ("[demo](http://localhost:8000)\n\n```\npython app.py\n```", []),
        ("[demo](http://localhost:8000)", ["LINK014"]),
        ("![a](http://127.0.0.1/a.png)", ["LINK014"]),
        ("see http://10.1.2.3/x", ["LINK014"]),
        ("[a](https://git.acme.internal/x)", ["LINK014"]),
        ("[a](file:///home/x)", ["LINK014"]),
        ("[a](http://8.8.8.8/)", ["LINK006"]),
        ("[a](http://192.0.2.1/)", ["LINK006"]),
        ("[a](https://bit.ly/x)", ["LINK015"]),
        ("[a](www.x.test/y)", ["LINK019"]),
        ("[a](https//x.test)", ["LINK019"]),
        ("[a](https:/x.test)", ["LINK019"]),
        ("[a](README.md) [b](model.py) [c](a.b/c)", []),
        ("[a]: http://x.test\n\n[a] [b][a]", ["LINK006"]),
        ("title = {{BERT}}, url = {https://x.test}", []),
    ],
)
def test_which_links_are_named(text: str, found: list[str]) -> None:
    assert codes(text) == found


FILES = {"config.json": "{}", "assets/my plot.png": "x", "LICENSE": "MIT"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[a](config.json)", []),
        ("[a](./config.json#L1)", []),
        ("[a](assets)", []),
        ("[a](assets/)", []),
        ("![a](assets/my%20plot.png)", []),
        ("![a](<assets/my plot.png>)", []),
        ("![a](assets/../assets/my%20plot.png)", []),
        ("[a](/datasets/glue) [b](?x) [c](#)", []),
        ("[a](mailto:a@b.c) [b](//x.test/y) [c](tree/main)", []),
        ("[a](Config.json)", ["LINK001"]),
        ("![a](plot.png)", ["LINK002"]),
        ("![a](../plot.png)", ["LINK002"]),
        ("<img alt='a' src='plot.png'>", ["LINK002"]),
        ("[a](assets/../../LICENSE)", ["LINK001"]),
        ("`[a](missing.md)`", []),
        ("[a][l]\n\n[l]: missing.md", ["LINK001"]),
        ("[a](www.x.test)", []),
        ("[a](%00)", []),
    ],
)
def test_links_to_files_of_the_folder(text: str, found: list[str], tmp_path: Path) -> None:
    assert codes_of(subject(text, FILES, tmp_path), "LINK001 LINK002") == found


def test_without_a_folder_nothing_is_said_of_files() -> None:
    assert codes("[a](missing.md) ![b](missing.png)") == []


def test_the_file_that_was_meant_is_named(tmp_path: Path) -> None:
    (finding,) = findings_of(subject("![a](my%20plot.png)", FILES, tmp_path), "LINK002")
    assert finding.hint == "did you mean assets/my plot.png?"


@pytest.mark.parametrize(
    ("text", "code", "after"),
    [
        ("[a](http://arxiv.org/abs/1)", "LINK006", "[a](https://arxiv.org/abs/1)"),
        ("<http://github.com/a>\r\n", "LINK006", "<https://github.com/a>\r\n"),
        ("x (a b)[https://x.test] y", "LINK007", "x [a b](https://x.test) y"),
        ("see https://x.test/a.", "LINK008", "see <https://x.test/a>."),
        (
            "<img src='https://github.com/o/r/blob/m/blob/a.png' alt='a'>",
            "LINK009",
            "<img src='https://github.com/o/r/raw/m/blob/a.png' alt='a'>",
        ),
        (
            "[a](https://s3.amazonaws.com/models.huggingface.co/bert/o/r/a/b.json)",
            "LINK011",
            "[a](https://huggingface.co/o/r/resolve/main/a/b.json)",
        ),
        (
            "[a](https://huggingface.co/transformers/model_doc/bert.html#bertmodel)",
            "LINK011",
            "[a](https://huggingface.co/docs/transformers/model_doc/bert#bertmodel)",
        ),
        ("See arXiv 1810.04805.", "LINK013", "See [arXiv 1810.04805](https://arxiv.org/abs/1810.04805)."),
        ("[a]((https://x.test/y))", "LINK019", "[a](https://x.test/y)"),
        ("[a](x.org/y)", "LINK019", "[a](https://x.org/y)"),
    ],
)
def test_a_fix_changes_nothing_else_and_is_done_once(text: str, code: str, after: str) -> None:
    (finding,) = findings_of(subject(text), code)
    assert fixed(text, finding) == after
    assert findings_of(subject(after), code) == []


@pytest.mark.parametrize(
    "text",
    ["[a](http://x.test)", "[a](https://cdn.huggingface.co/bert-base-uncased-vocab.txt)", "```\narXiv:1810.04805\n```"],
)
def test_what_does_not_follow_is_not_fixed(text: str) -> None:
    found = findings_of(subject(text), "LINK006 LINK011 LINK013")
    assert found
    assert not any(finding.fix for finding in found)
