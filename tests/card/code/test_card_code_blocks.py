from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.card.code.code_blocks import CodeBlock, code_blocks, recognised_language
from hubpub.card.code.python_code import parse_python
from hubpub.card.code.python_snippets import python_of
from hubpub.card.document import Card


def blocks(text: str) -> tuple[CodeBlock, ...]:
    return code_blocks(Card.parse(text))


@pytest.mark.parametrize(
    ("text", "fenced", "declared", "language"),
    [
        ("```python\nx = 1\n```", True, "python", "python"),
        ("```Py\nx = 1\n```", True, "python", "python"),
        ("```{.python .numberLines}\nx = 1\n```", True, "python", "python"),
        ("~~~ sh\nls\n~~~", True, "shell", "shell"),
        ("```rust\nlet x = 1;\n```", True, "rust", "rust"),
        ("```\nimport torch\n```", True, "", "python"),
        ("```\n>>> import torch\n>>> torch.ones(1)\ntensor([1.])\n```", True, "", "python"),
        ("```\npip install x\n```", True, "", "shell"),
        ("```\n$ pip install x\n```", True, "", "shell"),
        ("```\n@misc{x, title={y}}\n```", True, "", "bibtex"),
        ('```\n[{"label": "A", "score": 0.9}]\n```', True, "", "json"),
        ("```\n              precision    recall\n\nORG   0.81  0.81\n```", True, "", ""),
        ("```\nseed = 42\nlr = 1e-4\n```", True, "", ""),
        ("```\n[CLS] Sentence A [SEP]\n```", True, "", ""),
        ("```\nfrom the authors: a note (2020)\n```", True, "", ""),
        ("    import torch\n", False, "", "python"),
        ("    ```python\n    import torch\n    ```\n", False, "", ""),
        ("```\n", True, "", ""),
    ],
)
def test_the_language_of_a_block(text: str, fenced: bool, declared: str, language: str) -> None:
    (code,) = blocks(text)
    assert (code.fenced, code.declared, code.language) == (fenced, declared, language)


@pytest.mark.parametrize(
    "text",
    [
        "```python\na\n  b\n```",
        "> ```python\n> a\n>   b\n> ```",
        "- x\n\n  ```python\n  a\n    b\n  ```",
        "1. ```python\n   a\n     b\n   ```",
        "   ```python\n   a\n     b\n   ```",
        "```python\r\na\r\n  b\r\n```\r\n",
        "    a\n      b\n",
    ],
)
def test_a_place_in_the_code_is_a_place_in_the_card(text: str) -> None:
    (code,) = blocks(text)
    assert code.text.rstrip("\n") == "a\n  b"
    assert text[code.offset(1, 0)] == "a"
    assert text[code.offset(2, 2)] == "b"
    assert text[code.offset_of(code.text.index("b"))] == "b"


@pytest.mark.parametrize(
    "code",
    [
        "x = 1",
        ">>> x = 1\n>>> x\n1",
        ">>> for i in range(3):\n...     print(i)\n0\n1",
        "x = 1\n>>> {'label': 'A'} -> 0.9",
        "x = f(1)\n>>>x: 'a b'\nf(2)",
        "!pip install x\nimport x",
        "%matplotlib inline\nimport x",
        "%%time\nx = 1",
        "%%bash\necho 'it's'",
        "pip install x\nimport x",
        "files = !ls\nprint(files)",
        "model?",
        "    x = 1\n    y = 2",
        "train(a=1, ...)",
        "x = [1, 2, ...]",
        "x = {'a': 1, ...}",
        "def f(x):",
        "for batch in loader:\n    # your code",
        "text = <your text>",
        "f(…)",
        "await client.get()",
        "return x",
        'print(f"{d["a"]}")',
        "type X = int",
        "def f[T](x: T) -> T: ...",
    ],
)
def test_what_is_no_fault_of_a_snippet(code: str) -> None:
    assert parse_python(code).broken is None


@pytest.mark.parametrize(
    ("code", "line", "column"),
    [
        ("from x import y,", 1, None),
        ("x = 'Roma è d'oro'", 1, 17),
        ("import x\nx = “a”", 2, 4),
        ("def f(x)\n    return x", 1, 8),
        ("x = 1\n  y = 2", 2, 1),
        ('print "x"', 1, 0),
        ("from transformers BertConfig", 1, 18),
        ("x = 1\n>>> x\n1\ny = (", 4, None),
        (">>> y = 1\n>>> from x import y,", 2, None),
    ],
)
def test_a_fault_has_its_place(code: str, line: int, column: int | None) -> None:
    broken = parse_python(code).broken
    assert broken
    assert (broken.line, broken.column if column is not None else None) == (line, column)


def test_places_survive_prompts_indentation_and_wide_letters() -> None:
    card = Card.parse('> ```python\n>     >>> s = "日本"; t = call("é")\n> ```\n')
    (snippet,) = python_of(card).snippets
    (call,) = python_of(card).calls
    assert card.text[slice(*snippet.span(call.node))] == 'call("é")'


def test_names_are_followed() -> None:
    text = (
        "```python\nimport transformers as t\nfrom transformers import AutoModel as M\nname = 'a/b'\n"
        "model = M.from_pretrained(name).to('cuda')\n```\n\n```python\nmodel.generate(1)\nt.pipeline('x')\n"
        "M.from_pretrained(name).eval()\nmodel = wrap(model)\nmodel.fit()\n```"
    )
    python = python_of(Card.parse(text))
    assert sorted(call.name for call in python.calls) == [
        "transformers.AutoModel.from_pretrained",
        "transformers.AutoModel.from_pretrained",
        "transformers.AutoModel.from_pretrained().eval",
        "transformers.AutoModel.from_pretrained().generate",
        "transformers.AutoModel.from_pretrained().to",
        "transformers.pipeline",
        "wrap",
        "wrap().fit",
    ]
    assert python.constants["name"] == "a/b"
    assert {"t", "M", "name", "model"} <= python.bound


@pytest.mark.parametrize(
    "code",
    [
        "(" * 5000,
        "[" * 60_000,
        "-" * 60_000 + "1",
        "x" + ".a" * 20_000 + "()",
        "f" + "()" * 20_000,
        "x = " + "a = " * 10_000 + "1",
        "lambda: " * 5_000 + "1",
        "'''" + "\n" * 60_000,
        "x = 1\n" * 9_000,
        "if x:\n" + "".join(" " * depth + "if x:\n" for depth in range(1, 300)),
        "\x00",
        "\udc80",
        "\f\x0b\x1c" * 10_000,
        "<a" * 20_000,
        ">>> " * 10_000,
        "@misc{" * 9_000,
        "{" * 60_000,
    ],
)
def test_odd_code_is_read_quickly(code: str) -> None:
    started = time.perf_counter()
    text = f"```python\n{code}\n```\n\n```\n{code}\n```\n"
    card = Card.parse(text)
    code_blocks(card)
    python_of(card)
    assert time.perf_counter() - started < 3


@given(
    st.text(alphabet=st.sampled_from(list("()[]{}'\"\\#:=.,;@ \n\t\r>`ab1é€…"))), st.sampled_from(["python", "", "py"])
)
def test_no_text_breaks_the_reading(code: str, info: str) -> None:
    card = Card.parse(f"```{info}\n{code}\n```\n")
    for block in code_blocks(card):
        for number, line in enumerate(block.text.split("\n")[: len(block.starts)]):
            if "\t" not in line and "\x00" not in line:
                start = block.starts[number]
                assert card.text[start : start + len(line)] == line
    for call in python_of(card).calls:
        start, end = call.snippet.span(call.node)
        assert 0 <= start <= end <= len(card.text)


def test_json_of_any_depth_is_no_trouble() -> None:
    assert recognised_language('{"a": ' * 3000) == ""
