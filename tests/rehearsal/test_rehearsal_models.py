"""Real models and cards, rehearsed: sound ones go through, broken ones fail for the true reason."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file
from support.profile_folders import write_json

import hubpub
from hubpub.rehearsal.result import Rehearsal, Status

Copy = Callable[[Path], Path]
pytestmark = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")

RAN, FAILED, NOT = Status.RAN, Status.FAILED, Status.NOT_RUNNABLE


def statuses(rehearsal: Rehearsal) -> dict[str, Status]:
    return {check.name: check.status for check in rehearsal.checks}


def told(rehearsal: Rehearsal) -> str:
    checks = [f"{check.name}: {check.status} {check.text}" for check in rehearsal.checks]
    blocks = [f"{block.line}: {block.status} {block.reason} {block.traceback}" for block in rehearsal.blocks]
    return "\n".join(checks + blocks)


def test_a_sound_model_with_the_card_that_hubpub_renders_needs_nobodys_leave(chat_lm: Path) -> None:
    rehearsal = hubpub.rehearse(chat_lm, "acme/chat", depth="quick")
    assert rehearsal.ok, told(rehearsal)
    assert set(statuses(rehearsal).values()) == {RAN}, told(rehearsal)
    assert list(statuses(rehearsal)) == [
        "push",
        "AutoConfig",
        "AutoTokenizer",
        "model",
        "tensors",
        "forward pass",
        "generate",
        "pipeline",
    ]
    [block] = [block for block in rehearsal.blocks if block.language == "python"]
    assert block.by_hubpub
    assert block.status is RAN
    assert rehearsal.commit is not None
    assert rehearsal.isolation.kind in ("namespaces", "guard")


def test_what_is_broken_in_the_files_is_what_fails(bert_classifier: Path, copy_of: Copy) -> None:
    """The checks refuse it, and it is loaded all the same: users would meet each of these."""
    model = copy_of(bert_classifier)
    for file in model.glob("*tokenizer*"):
        file.unlink()
    tensors = load_file(model / "model.safetensors")
    tensors["extra.weight"] = tensors.pop("classifier.weight")
    save_file(tensors, model / "model.safetensors", metadata={"format": "pt"})
    rehearsal = hubpub.rehearse(model, "acme/broken", depth="quick", snippets=False)
    assert not rehearsal.ok
    found = {check.name: check for check in rehearsal.checks}
    assert statuses(rehearsal) | {"pipeline": None} == {
        "push": FAILED,
        "AutoConfig": RAN,
        "AutoTokenizer": FAILED,
        "model": RAN,
        "tensors": FAILED,
        "forward pass": RAN,
        "pipeline": None,
    }, told(rehearsal)
    assert "holds no vocabulary" in found["AutoTokenizer"].text
    assert "1 missing from the files: classifier.weight" in found["tensors"].text
    assert "extra.weight" in found["tensors"].text
    assert rehearsal.report is not None
    assert "TOKEN001" in {finding.rule for finding in rehearsal.report.findings}


CARD = """---
license: mit
---

# A model

## How to use

```python
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("acme/bert")
```

```python
>>> tokenizer("good")["input_ids"][0]
2
>>> print(len(tokenizer))
```

> ```python
> from transformers import BertForSentenceClassification
> ```

## Elsewhere

```python
from transformers import pipeline

summarise = pipeline("summarization", model="acme/bert")
```

```python
from transformers import AutoModel
AutoModel.from_pretrained("acme/other")
```

```python
AutoTokenizer.from_pretrained("acme/bert")
```

```python
AutoModel.from_pretrained("acme/bert").cuda()
```

```bash
pip install transformers
```
"""


def test_every_block_of_a_written_card_is_told_with_its_line(bert_classifier: Path, copy_of: Copy) -> None:
    model = copy_of(bert_classifier)
    (model / "README.md").write_text(CARD)
    rehearsal = hubpub.rehearse(model, "acme/bert", depth="quick", load=False, run_card_code=True)
    found = [(block.status, block.failed_line, block.reason.partition(";")[0][:75]) for block in rehearsal.blocks]
    line = CARD.split("\n").index
    assert found == [
        (RAN, None, ""),
        (RAN, None, ""),
        (
            FAILED,
            line("> from transformers import BertForSentenceClassification") + 1,
            "ImportError: cannot import name 'BertForSentenceClassification' from 'trans",
        ),
        (
            FAILED,
            line('summarise = pipeline("summarization", model="acme/bert")') + 1,
            "KeyError: 'The task summarization has been removed from transformers. Use t",
        ),
        (
            NOT,
            line('AutoModel.from_pretrained("acme/other")') + 1,
            "needs acme/other, which the rehearsal hub does not have",
        ),
        # each section has names of its own, as a reader of that section has
        (
            FAILED,
            line('AutoTokenizer.from_pretrained("acme/bert")') + 1,
            "NameError: name 'AutoTokenizer' is not defined",
        ),
        (NOT, line('AutoModel.from_pretrained("acme/bert").cuda()') + 1, "needs a GPU"),
        (NOT, None, "is not Python (shell)"),
    ], told(rehearsal)
    assert rehearsal.blocks[1].output[0].isdecimal()


def test_a_reranker_is_loaded_as_one_and_scores_a_pair(bert_classifier: Path, copy_of: Copy) -> None:
    """Saved as sentence-transformers 6 does it."""
    pytest.importorskip("sentence_transformers")
    model = copy_of(bert_classifier)
    kind = "sentence_transformers.base.modules.transformer.Transformer"
    write_json(model / "modules.json", [{"idx": 0, "name": "0", "path": "", "type": kind}])
    write_json(model / "config_sentence_transformers.json", {"model_type": "CrossEncoder"})
    text = {"text": {"method": "forward", "method_output_name": "logits"}}
    settings = {"transformer_task": "sequence-classification", "module_output_name": "scores", "modality_config": text}
    write_json(model / "sentence_bert_config.json", settings)
    rehearsal = hubpub.rehearse(model, "acme/reranker", depth="quick", snippets=False)
    found = {check.name: (check.status, check.text) for check in rehearsal.checks}
    assert found["model"][0] is RAN, told(rehearsal)
    assert found["model"][1].startswith("CrossEncoder, ")
    assert found["predict"] == (RAN, "2 scores of a pair")


def test_the_real_model_runs_under_the_name_that_its_card_has(minilm: Path) -> None:
    pytest.importorskip("sentence_transformers")
    name = "sentence-transformers/all-MiniLM-L6-v2"
    rehearsal = hubpub.rehearse(minilm, name, depth="quick", run_card_code=True)
    assert [block.status for block in rehearsal.blocks] == [NOT, RAN, RAN], told(rehearsal)
    assert set(statuses(rehearsal).values()) == {RAN}, told(rehearsal)
    assert not any(block.refused for block in rehearsal.blocks), told(rehearsal)
    assert not any(block.by_hubpub for block in rehearsal.blocks)
