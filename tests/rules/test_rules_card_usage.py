from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.linting import codes_of, findings_of, fixed, subject

from hubpub.core.findings import Finding


def python(code: str) -> str:
    return f"```python\n{code}\n```\n"


def usage(text: str, **more: object) -> list[Finding]:
    return findings_of(subject(text, **more), "USAGE")  # type: ignore[arg-type]


LOAD = 'model = AutoModel.from_pretrained("acme/x")'


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        # USAGE001
        ("## Usage\n\n" + "word " * 20, ["USAGE001"]),
        ("## Usage\n\n" + "word " * 20 + "`classify(text)` gives labels.", []),
        ("## Usage\n\n" + "word " * 20 + "Run `ollama run acme/x`.", []),
        ("## Usage\n\n" + "word " * 20 + "\n\n```\nllama-cli -m x.gguf\n```", ["USAGE003"]),
        ("## Usage\n\n" + "word " * 20 + "\n\n<pre>classify(text)</pre>", []),
        ("## Usage\n\nShort.", []),
        ("## Data\n\n" + "word " * 20, []),
        ("## Usage\n\n" + "word " * 20 + "\n\n```bibtex\n@misc{x, title={y}}\n```", ["USAGE001"]),
        # USAGE002
        (python("print('a)"), ["USAGE002"]),
        (python("import x\n=> [1, 2"), ["USAGE002"]),
        (python(">>> f('a')\n[{'label': A}"), []),
        ("```\nimport x\nprint('a)\n```", []),
        ("```js\nlet a = {\n```", []),
        # USAGE003
        ("```\npip install torch\n```", ["USAGE003"]),
        (python("pip install torch"), ["USAGE003"]),
        (python("!pip install torch"), []),
        (python("python run.py \\\n  --do_train \\\n  --lr 3e-5"), ["USAGE003"]),
        ("```\nlabel score\nA 0.9\n```", []),
        ("    import torch\n", []),
        # USAGE006
        (python("from transformers import AdamW"), ["USAGE006"]),
        (python("from torch.optim import AdamW"), []),
        (python("from optimum.x import AutoModelForVision2Seq"), ["USAGE008"]),
        (python("import transformers\ntransformers.AutoModelWithLMHead.from_pretrained('a/b')"), ["USAGE006"]),
        (python("from transformers import *\nAutoModelWithLMHead.from_pretrained('a/b')"), ["USAGE006"]),
        (python("from transformers import *\nclass AdamW: pass\nAdamW()"), []),
        ("`pip install transformers==4.30`\n\n" + python("from transformers import AdamW"), []),
        ("pip install 'transformers<5'\n\n" + python("from transformers import AdamW"), []),
        ("use version `2.4.1` of `transformers`\n\n" + python("from transformers import AdamW"), []),
        ("- Transformers 4.5.1\n\n" + python("from transformers import AdamW"), ["USAGE006"]),
        (
            python("from transformers import AutoModel\nm = AutoModel.from_pretrained('a/b', load_in_8bit=True)"),
            ["USAGE006"],
        ),
        (python("from transformers import BitsAndBytesConfig\nq = BitsAndBytesConfig(load_in_8bit=True)"), []),
        (
            python(
                "from unsloth import FastLanguageModel\nFastLanguageModel.from_pretrained('a/b', load_in_4bit=True)"
            ),
            ["USAGE008"],
        ),
        (
            python("from transformers import AutoTokenizer\nAutoTokenizer.from_pretrained('a/b').batch_encode_plus(x)"),
            ["USAGE006"],
        ),
        (python("tokenizer.encode_plus(x)"), []),
        (
            python("from transformers import pipeline\npipeline('ner', model='a/b', grouped_entities=True)"),
            ["USAGE006"],
        ),
        (python("import pytorch_transformers"), ["USAGE006"]),
        # USAGE007
        (python(f"from transformers import AutoModel\n{LOAD}\nmodel(torch.ones(1))"), ["USAGE007"]),
        (python(f"from transformers import AutoModel\n{LOAD}\nmodel(text, image)\nimage.show()"), []),
        (python(f"from transformers import *\n{LOAD}\nmodel(torch.ones(1))"), []),
        (python("out = model(torch.ones(1))"), []),
        (
            python("out = model(torch.ones(1))") + python(f"import torch\nfrom transformers import AutoModel\n{LOAD}"),
            [],
        ),
        (python("import torch\nnormalise(x)") + "\n`normalise` is in our repo.", []),
        (
            python(
                "import torch\n[t.y for t in range(3)]\nwith open('f') as f: f.read()\ndef g(a, *b, **c): a(); b.x; c.y"
            ),
            [],
        ),
        (python("import torch\ntry: pass\nexcept Exception as e: e.x\nlambda q: q.z\n(w := 1).real\nw.real"), []),
        (python("import torch\nmatch x:\n    case [a, *b]: a(); b.x\n    case {'k': c, **d}: c(); d.x"), []),
        (python("import torch\nprint('a)") + python("import x\nhelper()"), ["USAGE002"]),
        ("Take `AutoTokenizer`.\n\n" + python("import torch\nAutoTokenizer.from_pretrained('a/b')"), ["USAGE007"]),
        ("Take our `Cleaner`.\n\n" + python("import torch\nCleaner('a/b')"), []),
        ("It is a pytorch model.\n\n" + python("import numpy\nnumpy.array(torch.ones(1))"), ["USAGE007"]),
        # USAGE008
        (python("import gliner"), ["USAGE008"]),
        ("pip install -U gliner\n\n" + python("import gliner"), []),
        (
            "```bash\npip install \\\n  torch \\\n  sentence-transformers\n```\n\n"
            + python("import sentence_transformers"),
            [],
        ),
        ("pip install -r requirements.txt\n\n" + python("import gliner"), []),
        (python("import torch, transformers, mymodule"), []),
        # USAGE009
        (python("m = AutoModel.from_pretrained('a/b', trust_remote_code=True)"), ["USAGE009"]),
        (python("m = AutoModel.from_pretrained('a/b', trust_remote_code=False)"), []),
        (python("m = AutoModel.from_pretrained('a/b', trust_remote_code=True, revision='abc')"), []),
        ("It needs custom code.\n\n" + python("m = AutoModel.from_pretrained('a/b', trust_remote_code=True)"), []),
        # USAGE011
        (python("from transformers import pipeline\npipeline('summarization', model='a/b')"), ["USAGE011"]),
        (python("from transformers import pipeline\npipeline(task='translation_en_to_fr', model='a/b')"), ["USAGE011"]),
        (python("from transformers import pipeline\nt = 'vqa'\npipeline(t, model='a/b')"), ["USAGE011"]),
        (python("from transformers import pipeline\npipeline('sentiment-analysis', model='a/b')"), []),
        (python("from transformers import pipeline\npipeline(model='a/b')"), []),
        (
            python("from transformers import pipeline\npipeline('own', model='a/b', trust_remote_code=True)"),
            ["USAGE009"],
        ),
        (python("from pipelines import pipeline\npipeline('question-answering')"), []),
        (python("pipeline('question-answering')"), []),
        # USAGE015
        (python("from transformers import TFBertModel"), ["USAGE015"]),
        (python("from transformers import FlaxBertModel"), ["USAGE015"]),
        (python("from x import TFBertModel, TFIDF"), []),
        (python("from transformers import TFAutoModelWithLMHead"), ["USAGE015"]),
        (
            python("from transformers import TFAutoModel\nm = TFAutoModel.from_pretrained('a/b')")
            + python("out = m.generate(x)"),
            ["USAGE015"],
        ),
        (python("from transformers import AutoModel\nAutoModel.from_pretrained('a/b', from_tf=True)"), ["USAGE015"]),
        # USAGE016
        (
            python("from transformers import AutoModel\nAutoModel.from_pretrained('a/b', torch_dtype='auto')"),
            ["USAGE016"],
        ),
        (
            python("from diffusers import FluxPipeline\nFluxPipeline.from_pretrained('a/b', torch_dtype=t)"),
            ["USAGE008"],
        ),
    ],
)
def test_what_a_snippet_is_told(text: str, codes: list[str]) -> None:
    found = [code for code in codes_of(subject(text), "USAGE") if code != "USAGE012"]
    assert found == codes


@pytest.mark.parametrize(
    ("code", "severity"),
    [
        ("from x import y,", "error"),
        ("import x\nx.f()\n=> ['a',\n 'b']", "warning"),
        ("import x\nx.f()\n=> [\ny = 1", "error"),
        ("query → answer", "warning"),
    ],
)
def test_output_behind_a_snippet_is_less_than_a_broken_one(code: str, severity: str) -> None:
    (finding,) = findings_of(subject(python(code)), "USAGE002")
    assert finding.severity.value == severity
    assert ("comments" in (finding.hint or "")) is (severity == "warning")


@pytest.mark.parametrize(
    ("before", "code", "after"),
    [
        ("a\n\n```\r\nimport torch\r\n```\r\n", "USAGE003", "a\n\n```python\r\nimport torch\r\n```\r\n"),
        ("- a\n\n  ~~~~\n  pip install x\n  ~~~~\n", "USAGE003", "- a\n\n  ~~~~bash\n  pip install x\n  ~~~~\n"),
        ("``` py\ngit clone x\n```\n", "USAGE003", "```bash\ngit clone x\n```\n"),
        (
            python("from transformers import (\n    ViTFeatureExtractor as V,  # é\n)\nV()"),
            "USAGE006",
            python("from transformers import (\n    ViTImageProcessor as V,  # é\n)\nV()"),
        ),
        (
            python("import transformers as t\nx = 'é'; t.AutoModelForVision2Seq.from_pretrained(x)"),
            "USAGE006",
            python("import transformers as t\nx = 'é'; t.AutoModelForImageTextToText.from_pretrained(x)"),
        ),
        (
            python(
                "from transformers import AutoModel as A\nA\nfrom transformers import Trainer\nTrainer(tokenizer=t)"
            ),
            "USAGE006",
            python(
                "from transformers import AutoModel as A\nA\nfrom transformers import "
                "Trainer\nTrainer(processing_class=t)"
            ),
        ),
        (
            python(
                "from transformers import BertTokenizer\nt = "
                "BertTokenizer.from_pretrained('a/b')\nt.encode_plus('é', 1)"
            ),
            "USAGE006",
            python("from transformers import BertTokenizer\nt = BertTokenizer.from_pretrained('a/b')\nt('é', 1)"),
        ),
        (
            "> "
            + python(
                ">>> from transformers import AutoModel\n>>> AutoModel.from_pretrained('é', torch_dtype=1)"
            ).replace("\n", "\n> "),
            "USAGE016",
            "> "
            + python(">>> from transformers import AutoModel\n>>> AutoModel.from_pretrained('é', dtype=1)").replace(
                "\n", "\n> "
            ),
        ),
        (
            python("from transformers import TFAutoModel as M, AutoTokenizer\nt(x, return_tensors='tf')"),
            "USAGE015",
            python('from transformers import AutoModel as M, AutoTokenizer\nt(x, return_tensors="pt")'),
        ),
    ],
)
def test_a_fix_touches_nothing_else(before: str, code: str, after: str) -> None:
    finding = next(found for found in findings_of(subject(before), code) if found.fix)
    assert fixed(before, finding) == after
    assert not [found for found in findings_of(subject(after), code) if found.fix]


def test_tensorflow_code_is_not_rewritten() -> None:
    text = python(
        "import tensorflow as tf\nfrom transformers import TFAutoModel\nTFAutoModel.from_pretrained('a/b')(tf.ones(1))"
    )
    (finding,) = findings_of(subject(text), "USAGE015")
    assert finding.fix is None


def test_places_are_those_of_the_code() -> None:
    text = "# T\n\n> " + python(
        'from transformers import pipeline\nx = pipeline("summarization", model="a/b")'
    ).replace("\n", "\n> ")
    (finding,) = findings_of(subject(text), "USAGE011")
    assert (finding.line, finding.column) == (5, 7)


@pytest.mark.parametrize(
    ("text", "repo", "codes"),
    [
        (python('from transformers import AutoModel\nAutoModel.from_pretrained("acme/x")'), "acme/x", []),
        (python('from transformers import AutoModel\nAutoModel.from_pretrained("acme/y")'), "acme/x", ["USAGE004"]),
        (python('from transformers import AutoModel\nAutoModel.from_pretrained("acme/y")'), None, []),
        (python('from transformers import AutoModel\nAutoModel.from_pretrained("x")'), "acme/x", ["USAGE004"]),
        (python('from transformers import AutoModel\nAutoModel.from_pretrained("gpt2")'), "openai-community/gpt2", []),
        (
            "---\nbase_model: gpt2\n---\n"
            + python('AutoModel.from_pretrained("gpt2")\nPeftModel.from_pretrained(m, "acme/gpt2")'),
            "acme/gpt2",
            [],
        ),
        (
            python('from transformers import AutoModel\nn = "acme/y"\nAutoModel.from_pretrained(n)'),
            "acme/x",
            ["USAGE004"],
        ),
        (
            python('from transformers import AutoModel\nA = AutoModel.from_pretrained\nA("acme/x")\nA("acme/y")'),
            "acme/x",
            [],
        ),
        (python('AutoModel.from_pretrained("acme/x")\nAutoModel.from_pretrained("acme/y")'), "acme/x", []),
        (python('AutoTokenizer.from_pretrained("acme/y")\nAutoModel.from_pretrained("acme/x")'), "acme/x", []),
        (python('from datasets import load_dataset\nload_dataset("acme/y")'), "acme/x", []),
        (
            "---\nbase_model: acme/base\n---\n"
            + python('AutoModel.from_pretrained("acme/base")\nPeftModel.from_pretrained(m, "acme/x")'),
            "acme/x",
            [],
        ),
        (python('AutoModel.from_pretrained("./checkpoint-500")'), None, ["USAGE004"]),
        (python('AutoModel.from_pretrained("/content/model")'), None, ["USAGE004"]),
        (python('AutoModel.from_pretrained("C:\\\\models\\\\x")'), None, ["USAGE004"]),
        (python('AutoModel.from_pretrained("path/to/model")\nAutoModel.from_pretrained("./your-model")'), None, []),
        (python('m.save_pretrained("./out")\nAutoModel.from_pretrained("./out")'), None, []),
        ("git clone https://huggingface.co/acme/x\n\n" + python('AutoModel.from_pretrained("./x")'), None, []),
        ("Unpack it to `./x`.\n\n" + python('AutoModel.from_pretrained("./x")'), None, []),
    ],
)
def test_the_id_in_a_snippet(text: str, repo: str | None, codes: list[str]) -> None:
    assert [code for code in codes_of(subject(text, repo_id=repo), "USAGE") if code != "USAGE012"] == codes


CAUSAL = {"config.json": json.dumps({"architectures": ["LlamaForCausalLM"], "model_type": "llama"})}
CLASSIFIER = {"config.json": json.dumps({"architectures": ["BertForSequenceClassification"], "model_type": "bert"})}
MASKED = {"config.json": json.dumps({"architectures": ["BertForMaskedLM"], "model_type": "bert"})}
OWN_CODE = {
    "config.json": json.dumps(
        {"architectures": ["JepaModel"], "model_type": "jepa", "auto_map": {"AutoModel": "modeling_jepa.JepaModel"}}
    ),
    "modeling_jepa.py": "class JepaModel: ...\n",
}
RAW = [("USAGE013", "info")]
CHAT = {**CAUSAL, "tokenizer_config.json": json.dumps({"chat_template": "{{ messages }}"})}
LORA = {"adapter_config.json": json.dumps({"peft_type": "LORA", "base_model_name_or_path": "acme/base"})}


def loads(auto: str, more: str = "") -> str:
    return python(f'from transformers import {auto}\n\nm = {auto}.from_pretrained("acme/x"{more})')


@pytest.mark.parametrize(
    ("files", "text", "found"),
    [
        (CAUSAL, loads("AutoModelForCausalLM"), []),
        (CAUSAL, loads("AutoModel"), []),
        (CAUSAL, loads("AutoModelForSeq2SeqLM"), [("USAGE005", "error")]),
        (CAUSAL, loads("LlamaForCausalLM"), []),
        (CAUSAL, loads("AutoTokenizer"), []),
        (CAUSAL, "---\nbase_model: acme/x\n---\n" + loads("AutoModelForSeq2SeqLM"), []),
        (CLASSIFIER, loads("AutoModelForTokenClassification"), [("USAGE005", "error")]),
        (CLASSIFIER, loads("AutoModelForSequenceClassification"), []),
        (MASKED, loads("AutoModelForSequenceClassification"), [("USAGE005", "warning")]),
        (MASKED, loads("AutoModelForSequenceClassification", ", num_labels=2"), []),
        (MASKED, loads("AutoModelForPreTraining"), []),
        (OWN_CODE, loads("AutoModel"), [("USAGE009", "warning")]),
        (OWN_CODE, "It has custom code.\n" + loads("AutoModel", ", trust_remote_code=True"), []),
        (CHAT, python('import transformers as t\np = t.pipeline("text-generation", "acme/x")\np("Hi")'), RAW),
        (CHAT, loads("AutoModelForCausalLM") + python('m.generate(ids)'), RAW),
        (CHAT, loads("AutoModelForCausalLM") + python('m.generate(t.apply_chat_template(messages))'), []),
        (CHAT, loads("AutoModelForCausalLM"), []),
        (LORA, loads("AutoModelForCausalLM"), [("USAGE014", "warning")]),
        (LORA, "```bash\npip install peft\n```\n" + loads("AutoModelForCausalLM"), []),
        (LORA, python('from transformers import AutoModelForCausalLM as A\nA.from_pretrained("acme/base")'), []),
    ],
)  # fmt: skip
def test_a_snippet_against_its_folder(
    files: Mapping[str, str], text: str, found: list[tuple[str, str]], tmp_path: Path
) -> None:
    findings = findings_of(subject(text, files, tmp_path), "USAGE004 USAGE005 USAGE009 USAGE013 USAGE014")
    assert [(finding.rule, finding.severity.value) for finding in findings] == found


def test_the_class_is_mended_where_only_one_is_right(tmp_path: Path) -> None:
    text = loads("AutoModelForSeq2SeqLM")
    (finding,) = findings_of(subject(text, CAUSAL, tmp_path), "USAGE005")
    assert fixed(text, finding) == loads("AutoModelForCausalLM")


def test_a_tokenizer_that_an_adapter_does_not_have(tmp_path: Path) -> None:
    text = python('from transformers import AutoTokenizer\nimport peft\nt = AutoTokenizer.from_pretrained("acme/x")')
    judged = subject(text, LORA, tmp_path, repo_id="acme/x")
    (finding,) = findings_of(judged, "USAGE014")
    assert (finding.severity.value, finding.hint) == ("error", "load it from acme/base")


@pytest.mark.parametrize(
    "text",
    [
        "```python\n" + "x = f(1)\n" * 100_000 + "```",
        "```\nimport x\n```\n\n" * 20_000,
        "```python\nfrom transformers import AdamW\n```\n\n" * 10_000,
        "```python\n" + "tokenizer.encode_plus(" * 40_000,
        "`" * 1_000_000,
        "pip install " * 80_000 + "\n```python\nimport gliner\n```",
        "```python\nm.from_pretrained('./x')\n```\n" * 8_000,
    ],
)
def test_a_megabyte_of_code_is_judged_in_time(text: str) -> None:
    judged = subject(text)
    started = time.perf_counter()
    findings_of(judged, "USAGE")
    assert time.perf_counter() - started < 10
