"""Cards that nobody writes, of any size: each repeats what some reader or rule might look at again and again."""

from __future__ import annotations

from collections.abc import Callable

FRONT = "---\nlicense: mit\n---\n\n"


def _filled(unit: str, head: str = FRONT, tail: str = "") -> Callable[[int], str]:
    return lambda size: (head + unit * (size // len(unit) + 1))[:size] + tail


def _yaml(head: str, unit: str) -> Callable[[int], str]:
    return lambda size: f"---\nlicense: mit\n{head}{unit * (size // len(unit))}---\n\n# x\n"


def _many_keys(size: int) -> str:
    return "---\n" + "".join(f"key{number}: v\n" for number in range(size // 12)) + "---\n\n# x\n"


def _many_results(size: int) -> str:
    result = (
        "  - task:\n      type: text-classification\n    dataset:\n      name: a\n      type: a\n"
        "    metrics:\n    - type: accuracy\n      value: 0.{}\n"
    )
    results = "".join(map(result.format, range(size // len(result))))
    return f"---\nmodel-index:\n- name: x\n  results:\n{results}---\n\n# x\n"


NASTY: dict[str, Callable[[int], str]] = {
    "headings": _filled("## x y\n"),
    "section headings": _filled("# Training data\n"),
    "skipped levels": _filled("# a\n\n#### b\n\n"),
    "headings without a blank": _filled("#Heading\n"),
    "bold lines": _filled("**Bold**\n\n"),
    "one line": _filled("a word of text "),
    "one word": _filled("a"),
    "links": _filled("[text](https://example.org/a) "),
    "addresses": _filled("https://huggingface.co/acme/x \n"),
    "open links": _filled("[a]("),
    "one table": _filled("| accuracy | 0.91 |\n", FRONT + "| metric | value |\n|---|---|\n"),
    "tables": _filled("| a | b |\n|---|---|\n| accuracy | 0.91 |\n\n"),
    "tags": _yaml("tags:\n", "- tag-a\n"),
    "tags of digits": _yaml("tags:\n", "- 12\n"),
    "languages": _yaml("language:\n", "- 'Foo Bar'\n"),
    "keys": _many_keys,
    "results": _many_results,
    "fences": _filled("```python\nx = 1\n```\n"),
    "one fence": _filled("x = f(1)\n", FRONT + "```python\n"),
    "snippets": _filled("```python\nfrom transformers import AutoModel\nm = AutoModel.from_pretrained('a/b')\n```\n"),
    "lists": _filled("- a\n"),
    "nested lists": _filled("".join("  " * depth + "- a\n" for depth in range(50))),
    "quotes": _filled("> " * 20 + "a\n"),
    "deep quotes": _filled("> "),
    "BibTeX": _filled("```bibtex\n@article{a,\n title={b},\n year={2020}\n}\n```\n"),
    "one BibTeX": _filled("@article{a,\n title={b},\n year={2020}\n}\n", FRONT + "```bibtex\n"),
    "<": _filled("<"),
    "open tags": _filled("<a href="),
    "HTML": _filled("<div><h2>x</h2>\n"),
    "pictures": _filled("<img src=a.png>\n"),
    "comments": _filled("<!-- a -->\n"),
    "open comments": _filled("<!-- "),
    "backticks": _filled("`"),
    "uneven backticks": _filled("`` ` "),
    "ignores": _filled("<!-- hubpub: ignore[TEXT001] x -->\n"),
    "ignores and findings": _filled("<!-- hubpub: ignore[TEXT001] x -->\n\nTODO\n\n"),
    "gaps": _filled("<!-- hubpub:todo a -->\n*To be written: x.*\n"),
    "placeholders": _filled("[More Information Needed]\n\n"),
    "sections to be written": _filled("## Limitations\n\n[More Information Needed]\n\n"),
    "brackets": _filled("["),
    "stars": _filled("*"),
    "fields": _filled("- **Developed by:** me\n"),
    "measures": _filled("- Accuracy: 0.9\n"),
    "hyper-parameters": _filled("- lr: 1e-5\n"),
    "blanks": _filled(" "),
    "empty lines": _filled("\n"),
    "mail addresses": _filled("a@b.co "),
    "paths": _filled("/home/anna/x "),
    "half a token": _filled("hf_"),
    "Japanese": _filled("これは"),
    "carriage returns": _filled("a\r"),
    "invisible characters": _filled("\u200b"),
    "braces": _filled("{{ x }} "),
    "dashes": _filled("---\n"),
    "conflicts": _filled("<<<<<<< a\nb\n=======\nc\n>>>>>>> d\n"),
}
