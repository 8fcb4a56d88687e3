"""The tensors against the class that config.json names: one defect each, and what must stay silent.

All folders are compared by one child process: it is the import of torch that takes the time.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.judging import judge_opened
from support.models import bert_config, bert_tensors
from support.weights import Shapes, write_safetensors

from hubpub.core.findings import Finding
from hubpub.core.report import Skip
from hubpub.core.rule import Depth
from hubpub.model import architecture
from hubpub.model.architecture import Status
from hubpub.model.folder import ModelFolder
from hubpub.rules.run import check_folder

pytestmark = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")

SAFE, CONFIG = "model.safetensors", "config.json"
CLASSIFIER = "BertForSequenceClassification"


def bert(**changes: Any) -> tuple[dict[str, Any], Shapes]:
    """Configuration and tensors of a BERT classifier; a change to None removes the key."""
    document = bert_config(30) | changes
    return {key: value for key, value in document.items() if value is not None}, bert_tensors(30)


def llama(**changes: Any) -> tuple[dict[str, Any], Shapes]:
    """Configuration and tensors of a Llama with two layers and an untied output embedding."""
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "num_hidden_layers": 2,
        "vocab_size": 40,
        "tie_word_embeddings": False,
        "transformers_version": "5.23.0",
    }
    tensors: Shapes = {"model.embed_tokens.weight": ("F32", (40, 32)), "lm_head.weight": ("F32", (40, 32))}
    for layer in range(2):
        place = f"model.layers.{layer}."
        tensors |= {
            f"{place}self_attn.{n}_proj.weight": ("F32", (r, 32)) for n, r in zip("qkvo", (32, 16, 16, 32), strict=True)
        }
        tensors |= {f"{place}mlp.{n}_proj.weight": ("F32", (64, 32)) for n in ("gate", "up")}
        tensors[f"{place}mlp.down_proj.weight"] = ("F32", (32, 64))
        tensors |= {f"{place}{n}_layernorm.weight": ("F32", (32,)) for n in ("input", "post_attention")}
    return config | changes, tensors | {"model.norm.weight": ("F32", (32,))}


def mixtral() -> tuple[dict[str, Any], Shapes]:
    """A Mixtral of four experts in the layout of the Hub, where each expert has tensors of its own."""
    config, tensors = llama()
    config |= {"architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "num_local_experts": 4}
    tensors = {name: tensor for name, tensor in tensors.items() if ".mlp." not in name}
    for layer in range(2):
        place = f"model.layers.{layer}.block_sparse_moe."
        tensors[f"{place}gate.weight"] = ("F32", (4, 32))
        for expert in range(4):
            shapes = {"w1": (64, 32), "w2": (32, 64), "w3": (64, 32)}
            tensors |= {f"{place}experts.{expert}.{name}.weight": ("F32", shape) for name, shape in shapes.items()}
    return config, tensors


def without(model: tuple[dict[str, Any], Shapes], *ends: str) -> tuple[dict[str, Any], Shapes]:
    return model[0], {name: tensor for name, tensor in model[1].items() if not name.endswith(ends)}


def renamed(model: tuple[dict[str, Any], Shapes], rename: Callable[[str], str]) -> tuple[dict[str, Any], Shapes]:
    return model[0], {rename(name): tensor for name, tensor in model[1].items()}


def having(model: tuple[dict[str, Any], Shapes], **tensors: tuple[int, ...]) -> tuple[dict[str, Any], Shapes]:
    """With further or other tensors; "__" stands for a dot."""
    return model[0], model[1] | {name.replace("__", "."): ("F32", shape) for name, shape in tensors.items()}


MASKED_LM_HEAD = {
    "cls.predictions.bias": (30,),
    "cls.predictions.transform.dense.weight": (32, 32),
    "cls.predictions.transform.dense.bias": (32,),
    "cls.predictions.transform.LayerNorm.weight": (32,),
    "cls.predictions.transform.LayerNorm.bias": (32,),
}
POOLER = ("pooler.dense.weight", "pooler.dense.bias")
HEAD = ("classifier.weight", "classifier.bias")


@dataclass(frozen=True)
class Case:
    """A model, what is said of it as (code, severity, path), and words that the one message has."""

    model: tuple[dict[str, Any], Shapes]
    expected: list[tuple[str, str, str]] = field(default_factory=list)
    words: tuple[str, ...] = ()
    skip: str | None = None


def error(code: str, path: str) -> list[tuple[str, str, str]]:
    return [(f"WEIGHT0{code}", "error", path)]


def gpt2(**changes: Any) -> tuple[dict[str, Any], Shapes]:
    """A GPT-2 of one layer, whose Conv1D stores [in, out]."""
    config = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 8, "n_head": 2, "n_layer": 1}
    config |= {"vocab_size": 40, "n_positions": 16, "transformers_version": "5.23.0"} | changes
    shapes: dict[str, tuple[int, ...]] = {"wte.weight": (40, 8), "wpe.weight": (16, 8)}
    shapes |= {f"{n}.{w}": (8,) for n in ("ln_f", "h.0.ln_1", "h.0.ln_2") for w in ("weight", "bias")}
    linear = {"attn.c_attn": (8, 24), "attn.c_proj": (8, 8), "mlp.c_fc": (8, 32), "mlp.c_proj": (32, 8)}
    for name, (rows, columns) in linear.items():
        shapes |= {f"h.0.{name}.weight": (rows, columns), f"h.0.{name}.bias": (columns,)}
    return config, {f"transformer.{name}": ("F32", shape) for name, shape in shapes.items()}


CASES: dict[str, Case] = {
    # what must stay silent
    "a classifier": Case(bert()),
    "an untied Llama": Case(llama()),
    "a tied Llama without lm_head": Case(without(llama(tie_word_embeddings=True), "lm_head.weight")),
    "a tied Llama with lm_head": Case(llama(tie_word_embeddings=True)),
    "a Mixtral in the layout of the Hub": Case(mixtral()),
    "a GPT-2": Case(gpt2()),
    "a GPT-2 without transformer.": Case(renamed(gpt2(), lambda name: name.removeprefix("transformer."))),
    "a GPT-2 with its old masks": Case(
        having(gpt2(), transformer__h__0__attn__bias=(1, 1, 16, 16), transformer__h__0__attn__masked_bias=())
    ),
    "a BERT with gamma and beta": Case(
        renamed(bert(), lambda n: n.replace("LayerNorm.weight", "LayerNorm.gamma").replace("Norm.bias", "Norm.beta"))
    ),
    "a BERT with position_ids": Case(having(bert(), bert__embeddings__position_ids=(1, 64))),
    "a bare encoder": Case(without(bert(architectures=["BertModel"]), *HEAD)),
    "an encoder without prefix": Case(
        renamed(without(bert(architectures=["BertModel"]), *HEAD), lambda name: name.removeprefix("bert."))
    ),
    "labels of an encoder": Case(
        without(bert(architectures=["BertModel"], id2label={"0": "a", "1": "b", "2": "c"}), *HEAD)
    ),
    # d01 to d18
    "hidden_size": Case(bert(hidden_size=48), error("62", SAFE), ("instead of [48]", CLASSIFIER)),
    "vocab_size too large": Case(bert(vocab_size=40), error("70", CONFIG), ("vocab_size 40", "30 rows")),
    "vocab_size too small": Case(llama(vocab_size=30), error("70", CONFIG), ("vocab_size 30", "40 rows")),
    "no head": Case(without(bert(), *HEAD), error("60", SAFE), ("lacks 2 tensors", "classifier.bias")),
    "no tensor of a layer": Case(
        without(bert(), "layer.0.output.dense.weight"), error("60", SAFE), ("layer.0.output.dense.weight",)
    ),
    "dead weight": Case(
        having(bert(), value_head__weight=(1, 32)),
        [("WEIGHT061", "warning", SAFE)],
        ("value_head.weight",),
    ),
    "too few layers": Case(
        bert(num_hidden_layers=3), error("68", CONFIG), ("num_hidden_layers 3", "1 layer ", "random")
    ),
    "too many layers": Case(
        llama(num_hidden_layers=1), error("68", CONFIG), ("num_hidden_layers 1", "2 layers", "dropped")
    ),
    "two labels, three rows": Case(
        having(bert(), classifier__weight=(3, 32), classifier__bias=(3,)), error("71", CONFIG), ("2 labels", "3 rows")
    ),
    "num_labels": Case(bert(num_labels=5), []),
    "module.": Case(renamed(bert(), "module.{}".format), error("63", SAFE), ("25 of 25 tensors", "'module.'")),
    "_orig_mod.": Case(renamed(llama(), "_orig_mod.{}".format), error("63", SAFE), ("_orig_mod.",)),
    "compiled inside": Case(
        renamed(llama(), lambda name: name.replace("model.layers", "model._orig_mod.layers")), error("63", SAFE), ()
    ),
    "base_model.model.": Case(renamed(llama(), "base_model.model.{}".format), error("63", SAFE), ()),
    "an adapter that was not merged": Case(
        renamed(
            having(llama(), model__layers__0__self_attn__q_proj__lora_A__default__weight=(4, 32)),
            lambda name: (
                "base_model.model." + name.replace("0.self_attn.q_proj.weight", "0.self_attn.q_proj.base_layer.weight")
            ),
        ),
        error("63", SAFE),
        ("'base_layer.'", "'base_model.model.'"),
    ),
    "the prefix of a LightningModule": Case(renamed(bert(), "model.{}".format), error("73", SAFE), ("'model.'",)),
    "any prefix": Case(renamed(llama(), "acme.net.{}".format), error("73", SAFE), ("'acme.net.'",)),
    "untied without lm_head": Case(
        without(llama(), "lm_head.weight"), error("60", SAFE), ("lm_head.weight", "tie_word")
    ),
    "another head": Case(
        bert(architectures=["BertForMaskedLM"]),
        error("64", CONFIG),
        ("BertForMaskedLM", f"holds a {CLASSIFIER}", "classifier.weight"),
    ),
    "an encoder with a head": Case(
        bert(architectures=["BertModel"]),
        [("WEIGHT061", "warning", SAFE)],
        (f"fits {CLASSIFIER}", "classifier.weight"),
    ),
    "another model": Case((bert()[0], llama()[1]), error("64", SAFE), ("none of its tensors",)),
    "transposed": Case(
        having(bert(), bert__encoder__layer__0__intermediate__dense__weight=(32, 64)),
        error("62", SAFE),
        ("transposed", "[32, 64] instead of [64, 32]"),
    ),
    "a transposed Conv1D": Case(
        having(gpt2(), transformer__h__0__attn__c_attn__weight=(24, 8)), error("62", SAFE), ("transposed", "c_attn")
    ),
    "k_proj of full attention": Case(
        having(llama(), model__layers__1__self_attn__k_proj__weight=(32, 32)), error("62", SAFE), ("k_proj",)
    ),
    "an expert is missing": Case(without(mixtral(), "0.block_sparse_moe.experts.3.w1.weight"), error("62", SAFE), ()),
    "all of an expert is missing": Case(
        without(mixtral(), *[f"1.block_sparse_moe.experts.3.w{n}.weight" for n in (1, 2, 3)]), error("62", SAFE), ()
    ),
    # e03 to e15
    "unknown model type": Case(bert(model_type="bertt"), error("65", CONFIG), ("bertt",)),
    "unknown model type and class": Case(
        bert(model_type="acme", architectures=["AcmeModel"]),
        [("WEIGHT065", "warning", CONFIG)],
        ("acme", "AcmeModel"),
    ),
    "unknown class": Case(
        bert(architectures=["BertForSequenceClasification"]),
        error("65", CONFIG),
        ("Clasification", f"it has {CLASSIFIER}"),
    ),
    "no class but a function": Case(bert(architectures=["pipeline"]), error("65", CONFIG), ("pipeline",)),
    "hidden_size is a string": Case(bert(hidden_size="32"), skip="what other rules name"),
    "heads do not divide": Case(bert(num_attention_heads=5), skip="what other rules name"),
    "unknown activation": Case(bert(hidden_act="gelu9"), error("66", CONFIG), ("gelu9",)),
    # what cannot be compared is said
    "saved with a newer version": Case(
        bert(model_type="bertt", transformers_version="99.0.0"), skip="newer than the installed"
    ),
    "refused, saved with a newer version": Case(
        bert(hidden_size="32", transformers_version="99.0.0"), skip="newer than the installed"
    ),
    "code of its own": Case(bert(auto_map={"AutoModel": "modeling.Acme"}, architectures=["Acme"]), skip="auto_map"),
    "quantised": Case(
        bert(quantization_config={"quant_method": "gptq", "bits": 4}), skip="its weights are quantised (gptq)"
    ),
    "quantised by nobody knows whom": Case(bert(quantization_config={"quant_method": "acme"}), skip="(acme)"),
    "quantised without a word": Case(having(bert(), bert__pooler__dense__qweight=(4, 32)), skip="look quantised"),
    # two defects are two findings
    "module. and no head": Case(
        renamed(without(bert(), *HEAD), "module.{}".format),
        [("WEIGHT060", "error", SAFE), ("WEIGHT063", "error", SAFE)],
    ),
}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Finding | Skip]]:
    """What the architecture rules say of every case."""
    root = tmp_path_factory.mktemp("arch")
    folders = {}
    for number, (name, case) in enumerate(CASES.items()):
        folder = root / str(number)
        folder.mkdir()
        config, tensors = case.model
        (folder / CONFIG).write_text(json.dumps(config))
        write_safetensors(folder / SAFE, tensors)
        folders[name] = ModelFolder.open(folder)
    for folder, found in zip(folders.values(), architecture.compare_all(list(folders.values())), strict=True):
        vars(folder)["architecture"] = found
    return {name: judge_opened(folder, Depth.DEEP, family="WEIGHT06 WEIGHT07") for name, folder in folders.items()}


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, judged: dict[str, list[Finding | Skip]]) -> None:
    case = CASES[name]
    findings = [found for found in judged[name] if isinstance(found, Finding)]
    skips = [found for found in judged[name] if isinstance(found, Skip)]
    assert [(f.rule, f.severity.value, f.path) for f in findings] == case.expected, [f.message for f in findings]
    for finding in findings:
        assert finding.path in finding.message
        assert "\n" not in finding.message
        assert "/tmp" not in finding.message
        assert finding.hint
    if len(findings) == 1:
        assert all(word in findings[0].message for word in case.words), findings[0].message
    assert len(set(skips)) == (1 if case.skip else 0), skips
    assert all((case.skip or "") in skip.reason for skip in skips), skips


def test_report_tells_the_versions(plain_model: Path) -> None:
    report = check_folder(ModelFolder.open(plain_model), target="model", depth=Depth.DEEP, ignore=["TOKEN"])
    told = report.facts["architecture"]
    assert told["status"] == Status.COMPARED
    assert told["class"] == CLASSIFIER
    assert told["transformers"]
    assert told["torch"]
    assert "architecture" not in ModelFolder.open(plain_model).facts()


def test_headers_alone_tell_at_no_depth(model: Path) -> None:
    """What the shapes promise is judged without a child."""
    config, tensors = bert(num_hidden_layers=3)
    (model / CONFIG).write_text(json.dumps(config))
    write_safetensors(model / SAFE, tensors)
    folder = ModelFolder.open(model)
    found = judge_opened(folder, Depth.QUICK, family="WEIGHT06")
    assert [f.rule for f in found if isinstance(f, Finding)] == ["WEIGHT068"]
    assert "architecture" not in vars(folder)


@pytest.mark.parametrize("defect", ["cut", "shard", "pickle"])
def test_broken_weights_are_not_compared(defect: str, model: Path, sharded: Path) -> None:
    """What WEIGHT002 or WEIGHT004 tells is not told again as missing tensors."""
    if defect == "cut":
        for path in sharded.glob("model-*.safetensors"):
            path.write_bytes(path.read_bytes()[:-8])
    elif defect == "shard":
        (sharded / "model-00002-of-00003.safetensors").unlink()
    else:
        shutil.rmtree(sharded)
        sharded.mkdir()
        (sharded / CONFIG).write_text(json.dumps(bert()[0]))
        (sharded / "pytorch_model.bin").write_bytes(b"\x80\x02}.")
    [skip] = judge_opened(ModelFolder.open(sharded), Depth.DEEP, family="WEIGHT06 WEIGHT07")
    assert isinstance(skip, Skip)
    assert skip.what == "the architecture"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"absent": "torch"}, "torch is not installed"),
        (None, "took more than"),
    ],
)
def test_without_torch_or_time_it_is_not_checked(
    answer: Any, reason: str, plain_model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from hubpub.model import child

    monkeypatch.setenv("HUBPUB_CACHE_DIR", str(tmp_path))

    class Stub:
        def __init__(self, *_: Any, **__: Any) -> None: ...

        def answer(self) -> child.Answer:
            return child.Answer(answer, None if answer else "took more than 180 seconds", timed_out=answer is None)

    monkeypatch.setattr(child, "Child", Stub)
    [skip] = judge_opened(ModelFolder.open(plain_model), Depth.DEEP, family="WEIGHT06 WEIGHT07")
    assert isinstance(skip, Skip)
    assert reason in skip.reason


def test_the_same_question_is_asked_once(
    plain_model: Path, copy_of: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was answered is kept; another model, or a cache that was tampered with, is asked about anew."""
    from hubpub.model import child

    monkeypatch.setenv("HUBPUB_CACHE_DIR", str(tmp_path / "kept"))
    asked = []
    real = child.Child

    def counting(*args: Any, **more: Any) -> child.Child:
        asked.append(args[0])
        return real(*args, **more)

    monkeypatch.setattr(child, "Child", counting)
    folder = copy_of(plain_model)
    first = ModelFolder.open(folder).architecture
    assert first is not None
    assert first.status is Status.COMPARED
    assert ModelFolder.open(folder).architecture == first
    assert len(asked) == 1
    [entry] = (tmp_path / "kept" / "architectures-1").iterdir()
    entry.write_bytes(entry.read_bytes().replace(b"compared", b"refused!"))
    assert ModelFolder.open(folder).architecture == first
    assert len(asked) == 2
    document = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(document | {"hidden_act": "relu"}))
    assert ModelFolder.open(folder).architecture is not None
    assert len(asked) == 3
