from __future__ import annotations

import time
from pathlib import Path

import pytest
from support.linting import codes_of, findings_of, fixed, subject

from hubpub.rules.registry import card_rules

FRONT = "---\nlicense: mit\n---\n\n"
LONG = "These are quite a few words about nothing in particular. " * 6
TRAINER = (
    "<!-- This model card has been generated automatically according to the information the Trainer had access to.\n"
    "You should probably proofread and complete it, then remove this comment. -->"
)
USAGE = '```python\npipeline("fill-mask", model="acme/sentiment")\n```'


def codes(text: str, **more: object) -> list[str]:
    return [code for code in codes_of(subject(text, **more), "TEXT") if code != "TEXT011"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# Model Card for Model ID", ["TEXT004"]),
        ("# Model name", ["TEXT004"]),
        ("# test_trainer", ["TEXT004"]),
        ("# Model card for BLOOM", []),
        ("# Model Card: CLIP", []),
        ("## Model name\n\nx", []),
        ("```\n# Model name\n```", []),
        (TRAINER, ["TEXT005"]),
        (f"```\n{TRAINER}\n```", []),
        ("<!-- Provide a quick summary of what the model is/does. -->", ["TEXT006"]),
        ("---\n# For reference on model card metadata, see the spec: https://x\nlicense: mit\n---\n", ["TEXT006"]),
        ("<!-- hubpub:begin x -->", []),
        ("<!--\n## Glossary\n\n*Clearly define terms in order to be accessible across audiences.*\n-->", ["TEXT006"]),
        ("## Citation [optional]", ["TEXT007"]),
        ("- **Funded by [optional]:** Acme", ["TEXT007"]),
        ("Pass `[optional]` or [optional] words", []),
        ("[optional](https://x.test)", []),
        ("This model was trained from scratch on an unknown dataset.", ["TEXT008"]),
        ("This model is a fine-tuned version of [a/b](https://huggingface.co/a/b) on the None dataset.", ["TEXT008"]),
        ("This model is a fine-tuned version of [a/b](https://huggingface.co/a/b) on the imdb dataset.", []),
        ("Use the code below to get started with the model.", []),
        ("- **Language(s) (NLP):** ['en', 'fr']", ["TEXT010"]),
        ("- **License:** None", ["TEXT010"]),
        ("- **Data augmentation:** None", []),
        ("It returns `['en']` or ['en'] and None", []),
        ("```\n['en', 'fr']\n```", []),
        ("- **Tokenizer:** <tokenizers.Tokenizer object at 0x7f0012ab>", ["TEXT010"]),
        ("saved in PosixPath('runs/1')", ["TEXT010"]),
        ("see /home/alice/models/x", ["TEXT013"]),
        ("see C:\\Users\\alice\\models", ["TEXT013"]),
        ("```\npython run.py --data /Users/alice/data.json\n```", ["TEXT013"]),
        ("```\npython run.py --data /content/data.json --out /home/user/out/x ~/.cache/x\n```", []),
        ("```\ndocker run -v /home/username/x:/workspace/x\n```", []),
        ('```\nfrom_pretrained("/home/alice/x/y")\n```', []),
        ("https://acme.org/home/alice/x and s3://b/home/alice/x", []),
        ("fine-tuned from /root/.cache/huggingface/x", ["TEXT013"]),
        ("---\nmodel_name: /home/alice/runs/x\n---\n", ["TEXT013"]),
        ("<script>x</script>", ["TEXT017"]),
        ("a <input> b", ["TEXT017"]),
        ("`<input>` and <br> <details> <video src=x>", []),
        ("```\n<form>\n```", []),
        ("<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n", ["TEXT019"]),
        ("```\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n```\n", []),
        ("<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n", []),
        ("Title\n=======\n\n>>>>>>> quoted", []),
        ("a\u200bb", ["TEXT020"]),
        ("\ufeff# a", []),
        ("a \u202eb", ["TEXT020"]),
        ("🏋️\u200d♀️ नमस्\u200dते می\u200cخواهم", []),
        ("ภาษา\u200bไทย", []),
        ("שלום \u2067abc\u2069", []),
        ("```\nx\u200b = 1\n```", ["TEXT020"]),
        ("```python\nx\n\n## Heading\n\ntext", ["TEXT021"]),
        ("```python\nx\n", ["TEXT021"]),
        ("```python\nx\n```\n", []),
        ("````\n```\n````\n", []),
        ("~~~\nx\n~~~", []),
        ("- ```\n  x\n  ```\n", []),
        ("    indented\n    code", []),
        (f"{FRONT}# x\n\n---\nlicense: mit\n---\n", ["TEXT022"]),
        (f"{FRONT}# x\n\nThe end of it.---\nlicense: mit\ntags: [a]\n---\n", ["TEXT022"]),
        (f"{FRONT}# x\n\n| a | b |\n|---|---\nlicense: mit\n---\n", []),
        (f"{FRONT}# x\n\n```yaml\n---\nlicense: mit\n---\n```\n", []),
        (f"{FRONT}# x\n\n---\n\nNote: text\n\n---\n", []),
        (f"{FRONT}# x\n\n---\nnote: text\n---\n", []),
        ("![a](data:image/png;base64,AAAA)", ["TEXT023"]),
        ("5,000+ downloads", ["TEXT024"]),
        ("![d](https://img.shields.io/badge/downloads-10k-blue)", ["TEXT024"]),
        ("![d](https://img.shields.io/pypi/dm/x) Downloads 3 files", []),
        ("<|im_start|>user\n<s>[INST] Hi [/INST]</s>", []),
    ],
)
def test_which_texts_are_named(text: str, found: list[str]) -> None:
    assert codes(text) == found


def test_a_short_card_is_named_once() -> None:
    assert codes_of(subject("# x\n\nA model."), "TEXT") == ["TEXT011"]
    assert codes_of(subject(LONG), "TEXT") == []
    assert codes_of(subject("- **Data:** [More Information Needed]\n" * 60), "TEXT") == ["TEXT001", "TEXT011"]
    assert codes_of(subject("这个模型适合用来做中文文本的分类任务不适合用来生成文本。" * 6), "TEXT") == []


def test_a_long_card_is_named() -> None:
    assert codes(LONG * 1000) == ["TEXT023"]


@pytest.mark.parametrize(
    ("text", "repo", "files", "found"),
    [
        ("# other/model", "acme/x", {}, True),
        ("# acme/model", "acme/x", {}, False),
        ("# acme/x", "acme/x", {}, False),
        ("# gpt2", None, {"adapter_config.json": '{"base_model_name_or_path": "openai-community/gpt2"}'}, True),
        ("# gpt2", None, {"adapter_config.json": '{"base_model_name_or_path": "/home/x/gpt2"}'}, False),
        ("# gpt2 for poems", None, {"adapter_config.json": '{"base_model_name_or_path": "gpt2"}'}, False),
        ("# gpt2", None, {"config.json": '{"_name_or_path": "gpt2"}'}, False),
        ("# gpt2", None, {"config.json": '{"_name_or_path": "gpt2"}', "training_args.bin": "x"}, True),
        ("# gpt2", "me/gpt2", {"config.json": '{"_name_or_path": "gpt2"}', "training_args.bin": "x"}, False),
    ],
)
def test_a_copied_card(text: str, repo: str | None, files: dict[str, str], found: bool, tmp_path: Path) -> None:
    assert bool(findings_of(subject(text, files, tmp_path, repo_id=repo), "TEXT012")) is found


@pytest.mark.parametrize(
    ("title", "repo", "folder", "found"),
    [
        ("my-model", "acme/my-model", "out", False),
        ("my-model", None, "my-model", False),
        ("my-model", None, "sentiment", True),
        ("My Model", "acme/my-model", "my-model", True),
        ("checkpoint-500", None, "checkpoint-500", True),
        ("test_trainer", "acme/test_trainer", "test_trainer", False),
    ],
)
def test_the_name_of_a_model_is_no_template(
    title: str, repo: str | None, folder: str, found: bool, tmp_path: Path
) -> None:
    files = {"config.json": "{}"}
    assert bool(findings_of(subject(f"# {title}", files, tmp_path / folder, repo_id=repo), "TEXT004")) is found


@pytest.mark.parametrize(
    ("text", "code", "after"),
    [
        (f"# Model Card for Model ID\r\n\r\n{USAGE}", "TEXT004", f"# acme/sentiment\r\n\r\n{USAGE}"),
        (f"{FRONT}{TRAINER}\n\n# x\n", "TEXT005", f"{FRONT}# x\n"),
        ("a\n\n<!-- Provide the basic links for the model. -->\n\nb\n", "TEXT006", "a\n\nb\n"),
        ("a <!-- Provide the basic links for the model. -->\nb\n", "TEXT006", "a \nb\n"),
        ("a\n<!-- Provide the basic links for the model. -->\nb\n", "TEXT006", "a\nb\n"),
        ("---\n# Doc / guide: https://huggingface.co/docs/hub/model-cards\na: b\n---\n", "TEXT006", "---\na: b\n---\n"),
        ("## A [optional]\n\n- **B [optional]:** c\n", "TEXT007", "## A\n\n- **B:** c\n"),
        (
            "# acme/x\n\n```\npipeline(model='my-org/m')\n```",
            "TEXT009",
            "# acme/x\n\n```\npipeline(model='acme/x')\n```",
        ),
        ("- **L:** ['en', \"fr\"]\r\n", "TEXT010", "- **L:** en, fr\r\n"),
        ("a\u200bb \u200b\u200bc", "TEXT020", "ab c"),
        ("```\nx", "TEXT021", "```\nx\n```\n"),
        ("```\nx\n\n## A\n\nb", "TEXT021", "```\nx\n```\n\n## A\n\nb"),
        (f"{FRONT}# x\n\n---\nlicense: mit\n---\ny\n", "TEXT022", f"{FRONT}# x\n\ny\n"),
        (f"{FRONT}# x\n\ny---\nlicense: mit\n---\nz\n", "TEXT022", f"{FRONT}# x\n\ny\nz\n"),
    ],
)
def test_a_fix_changes_nothing_else_and_is_done_once(text: str, code: str, after: str) -> None:
    (finding,) = findings_of(subject(text), code)
    assert fixed(text, finding) == after
    assert findings_of(subject(after), code) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("# Model Card for Model ID", "TEXT004"),
        ("## A [optional]\n\n[a](#a-optional)", "TEXT007"),
        ("- **L:** ['*en*']", "TEXT010"),
        (f"{FRONT}---\nlicense: apache-2.0\n---\n", "TEXT022"),
        ("git clone https://x.test/your-username/model", "TEXT009"),
    ],
)
def test_what_would_be_a_guess_is_not_fixed(text: str, code: str) -> None:
    (finding,) = findings_of(subject(text), code)
    assert finding.fix is None


def test_a_fix_in_code_or_metadata_is_not_a_safe_one() -> None:
    for text in ("```\na\u200bb\n```", "---\nname: a\u200bb\n---\n", "a\u202eb"):
        (finding,) = findings_of(subject(text), "TEXT020")
        assert finding.fix
        assert not finding.fix.safe


NASTY = [
    *(
        "<!-- ",
        "**a",
        "- **a:** ['",
        "['a',",
        "<a.b object at 0x",
        "/home/alice/",
        "C:\\Users\\",
        "/root/a",
        "<<<<<<< a\n",
    ),
    *("=======\n", "a\u200b", "---\na: b\n", "```a\n", "[optional] ", "This model was trained from scratch", "1,000 "),
    *(
        "This model card aims to be a base template ",
        "from_pretrained(",
        "pipeline('",
        "arXiv:1234.",
        "a\u202a",
        "<form ",
    ),
    *(
        "This model is a fine-tuned version of ",
        "(a)[https://",
        "(a",
        "a\u200b\n\n",
        "[a](http://localhost) ",
        "[a](#b) ",
        "![](data:",
        "# a [optional]\n",
        "> ",
        "* a\n  ",
    ),
]


@pytest.mark.parametrize("piece", NASTY)
def test_time_grows_with_the_text_and_not_faster(piece: str) -> None:
    judged = subject(piece * (100_000 // len(piece)))
    rules = [rule for rule in card_rules if rule.code.startswith(("TEXT", "LINK"))]
    started = time.perf_counter()
    for rule in rules:
        for _ in rule.run(judged):
            pass
    assert time.perf_counter() - started < 8  # 1 s on a busy machine
