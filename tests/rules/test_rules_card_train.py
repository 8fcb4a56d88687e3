from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from support.linting import codes_of, findings_of, fixed, subject

CARD = "---\nlicense: mit\n---\n\n# m\n\n## Training procedure\n\n{0}\n"
SETTINGS = "- learning_rate: 2e-05\n- train_batch_size: 32\n- num_epochs: 3\n"


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (SETTINGS, ["TRAIN002", "TRAIN003", "TRAIN004"]),
        (SETTINGS + "- seed: 42\n\nOne A100 GPU, Transformers 5.1.0\n", []),
        ("```\npython run.py --learning_rate 3e-5 --num_train_epochs 3 --seed 1\n```\n", ["TRAIN003", "TRAIN004"]),
        ("We fine-tuned it.", []),  # SECT010 says so
        ("See [the paper](https://arxiv.org/abs/1).", []),
        ("[More Information Needed]", []),
        ("- learning rate: [More Information Needed]\n- batch size: [More Information Needed]\n", []),
    ],
)
def test_what_a_description_of_the_training_lacks(body: str, codes: list[str]) -> None:
    assert codes_of(subject(CARD.format(body)), "TRAIN002 TRAIN003 TRAIN004") == codes


def test_a_card_that_tells_nothing_of_training_is_asked_for_nothing() -> None:
    assert not codes_of(subject("# m\n\nA model that translates. It is good at it."), "TRAIN")


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (SETTINGS, ["TRAIN006", "TRAIN008", "TRAIN013"]),
        (SETTINGS + "\nTook 3 kWh. Texts were tokenized. [Code](https://github.com/a/b)\n", []),
        (SETTINGS + "\n```\npython train.py\n```\n", ["TRAIN006", "TRAIN008"]),
    ],
)
def test_what_may_be_asked_for_too(body: str, codes: list[str]) -> None:
    assert codes_of(subject(CARD.format(body)), "TRAIN006 TRAIN008 TRAIN013") == codes


WORDS = "a large corpus of sentences from film reviews that people wrote in English on a web site, good and bad ones"


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        (f"## Training data\n\n{WORDS}", True),
        (f"## Training data\n\n{WORDS}, from 2021", True),
        (f"## Training data\n\n{WORDS}, 16GB", False),
        (f"## Training data\n\n{WORDS}, some million of them", False),
        (f"## Training data\n\n{WORDS}: [SST-2](https://huggingface.co/datasets/stanfordnlp/sst2)", False),
        (f"---\ndatasets: [a/b]\n---\n\n## Training data\n\n{WORDS}", False),
        ("## Training data\n\nOur letters.", False),
        (f"## Results\n\n{WORDS}", False),
    ],
)
def test_data_without_an_amount(text: str, hit: bool) -> None:
    assert bool(findings_of(subject(text), "TRAIN007")) is hit


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("text", "after"),
    [
        (
            "- optimizer: Use adafactor and the args are:\nNo additional optimizer arguments\n- seed: 1\n",
            "- optimizer: Use adafactor and the args are: No additional optimizer arguments\n- seed: 1\n",
        ),
        (
            "- optimizer: Use lion_32bit and the args are:\n  b=1\n",
            "- optimizer: Use lion_32bit and the args are: b=1\n",
        ),
        ("- optimizer: Use adafactor and the args are:\n- seed: 1\n", None),
        ("- optimizer: Use adafactor and the args are:\n\nMore.\n", None),
        ("- optimizer: Use adafactor and the args are: None\n", None),
        ("```\n- optimizer: Use adafactor and the args are:\nNone\n```\n", None),
    ],
)
def test_a_broken_bullet_is_joined(text: str, after: str | None, newline: str) -> None:
    text = text.replace("\n", newline)
    found = findings_of(subject(text), "TRAIN010")
    assert len(found) == (after is not None)
    if after is not None:
        assert fixed(text, found[0]) == after.replace("\n", newline)


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("This model was trained from scratch on an unknown dataset.", True),
        ("fine-tuned version of [x](https://huggingface.co/x) on the None dataset.", True),
        ("fine-tuned version of x on an\nunknown dataset.", True),
        ("fine-tuned on the stanfordnlp/sst2 dataset.", False),
        ("The sentence `on an unknown dataset` is Trainer's.", False),
        ("```\non an unknown dataset\n```", False),
        ("We report results on unknown datasets.", False),
    ],
)
def test_trainers_sentence(text: str, hit: bool) -> None:
    assert bool(findings_of(subject(text), "TRAIN011")) is hit


@pytest.mark.parametrize(
    ("text", "files", "hit"),
    [
        ("---\nbase_model: a/b\n---\n", {}, True),
        ("---\nbase_model: a/b\n---\nrevision main", {}, False),
        ("---\nlicense: mit\n---\n", {}, False),
        ("---\nbase_model: a/b\n---\n", {"adapter_config.json": '{"revision": "abc"}', "adapter_model.bin": ""}, False),
        ("---\nbase_model: a/b\n---\n", {"adapter_config.json": '{"revision": null}', "adapter_model.bin": ""}, True),
    ],
)
def test_the_revision_of_the_base_model(text: str, files: dict[str, str], hit: bool, tmp_path: Path) -> None:
    assert bool(findings_of(subject(text, files, tmp_path), "TRAIN012")) is hit


def run(**state: object) -> dict[str, str]:
    return {"trainer_state.json": json.dumps({"train_batch_size": 8, "num_train_epochs": 3, "epoch": 2.4, **state})}


def arguments(**values: object) -> dict[str, str]:
    return {"training_args.json": json.dumps(values)}


@pytest.mark.parametrize(
    ("body", "files", "after"),
    [
        ("- num_epochs: 5", run(), "- num_epochs: 3"),
        ("- num_epochs: 5.0", run(), "- num_epochs: 3.0"),
        (
            "| Setting | Value |\n|---|---|\n| Epochs | **5** |",
            run(),
            "| Setting | Value |\n|---|---|\n| Epochs | **3** |",
        ),
        ("- num_epochs: 3", run(), None),
        ("- num_epochs: 2", run(), None),  # it stopped early
        ("- num_epochs: 5\n- num_epochs: 3", run(), None),  # two stages
        ("- num_epochs: 5\n\n`num_train_epochs`: 5", run(), "- num_epochs: 3\n\n`num_train_epochs`: 3"),
        ("```\nnum_epochs: 5\n```", run(), None),
        ("trained for 5 epochs", run(), None),
        ("- train_batch_size: 12", run(), "- train_batch_size: 8"),
        ("- train_batch_size: 32", run(), None),  # four devices
        ("- per_device_train_batch_size: 4", run(), None),  # two devices
        ("- batch size: 13", run(), None),
        ("- learning_rate: 2e-5", arguments(learning_rate=5e-5), "- learning_rate: 5e-5"),
        ("- learning_rate: 2e-05", arguments(learning_rate=1.5e-5), "- learning_rate: 1.5e-05"),
        ("- learning_rate: 0.00005", arguments(learning_rate=5e-5), None),
        ("- seed: 1", arguments(seed=42), "- seed: 42"),
        ("- seed: 1", run(), None),
        ("- training_steps: 500", arguments(max_steps=-1), None),
        ("- weight_decay: 0.0", arguments(weight_decay=0.01), None),
        ("- warmup_ratio: 0.1", arguments(warmup_ratio=0.06), "- warmup_ratio: 0.06"),
        ("- learning_rate: 4.7e-5", arguments(learning_rate=4.7372e-5), None),  # rounded
    ],
)
def test_settings_of_another_run(body: str, files: dict[str, str], after: str | None, tmp_path: Path) -> None:
    text = CARD.format(body)
    judged = subject(text, files, tmp_path)
    found = findings_of(judged, "TRAIN009")
    assert len(found) == (after is not None)
    if after is not None:
        mended = fixed(text, found[0])
        assert mended == CARD.format(after)
        assert not findings_of(subject(mended, files, tmp_path), "TRAIN009")


@pytest.mark.parametrize(
    ("body", "files", "codes"),
    [
        ("We trained it.", run(), ["TRAIN001"]),
        ("We trained it.", {"trainer_state.json": '{"log_history": [{"learning_rate": 1e-5}]}'}, ["TRAIN001"]),
        ("We trained it for 3 epochs.", run(), []),
        ("We trained it.", {"trainer_state.json": "[]"}, []),
        ("We trained it.", {"trainer_state.json": "{"}, []),
        ("We trained it.", {"all_results.json": '{"train_runtime": 4320.0}'}, ["TRAIN005"]),
        ("We trained it in 2 hours.", {"all_results.json": '{"train_runtime": 4320.0}'}, []),
    ],
)
def test_what_the_folder_knows_and_the_card_does_not(
    body: str, files: dict[str, str], codes: list[str], tmp_path: Path
) -> None:
    assert codes_of(subject(CARD.format(body), files, tmp_path), "TRAIN001 TRAIN005") == codes


def test_the_message_says_what_to_write(tmp_path: Path) -> None:
    files = {**run(), **arguments(learning_rate=5e-5, seed=42), "all_results.json": '{"train_runtime": 4330.0}'}
    judged = subject(CARD.format("We trained it."), files, tmp_path)
    assert [finding.message for finding in findings_of(judged, "TRAIN001 TRAIN005")] == [
        "the card names no hyper-parameter; training_args.json has learning_rate 5e-05, seed 42, "
        "per_device_train_batch_size 8, num_train_epochs 3",
        "the card does not say how long the training took; it was 72 min",
    ]


def model(root: Path, dtype: str = "BF16", count: int = 1000, **config: object) -> None:
    size = {"F32": 4, "F16": 2, "BF16": 2, "U8": 1}[dtype] * count
    header = json.dumps({"w.weight": {"dtype": dtype, "shape": [count], "data_offsets": [0, size]}}).encode()
    root.mkdir(exist_ok=True)
    (root / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(size))
    (root / "config.json").write_text(json.dumps({"model_type": "bert", "architectures": ["BertModel"], **config}))


def weights_findings(text: str, root: Path, codes: str) -> list:  # type: ignore[type-arg]
    return findings_of(subject(text, {"note.txt": "x"}, root), codes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# Foo-7B", "the card says 7B parameters, the weights have 1K"),
        ("# Foo-7B-LoRA", None),
        ("# Foo-7B-GGUF", None),
        ("- Parameters: 110M", "the card says 110M parameters, the weights have 1K"),
        ("- Parameters: 1,000", None),
        ("- Parameters: 1,200", None),
        ("- Parameters: 2,000", "the card says 2,000 parameters, the weights have 1K"),
        ("- Active parameters: 110M", None),
        ("Distilled from a 7B parameter model.", None),
        ("```\n- Parameters: 7B\n```", None),
    ],
)
def test_the_number_of_parameters(text: str, message: str | None, tmp_path: Path) -> None:
    model(tmp_path)
    found = weights_findings(text, tmp_path, "TRAIN014")
    assert [finding.message for finding in found] == ([message] if message else [])


@pytest.mark.parametrize(
    ("text", "after"), [("- Parameters: 110M", "- Parameters: 1K"), ("- Parameters: 2,500", "- Parameters: 1,000")]
)
def test_a_stated_number_is_replaced_and_a_name_is_not(text: str, after: str, tmp_path: Path) -> None:
    model(tmp_path)
    (finding,) = weights_findings(text, tmp_path, "TRAIN014")
    assert fixed(text, finding) == after
    (finding,) = weights_findings("# Foo-7B", tmp_path, "TRAIN014")
    assert finding.fix is None


def test_weights_that_cannot_be_counted_are_not_judged(tmp_path: Path) -> None:
    text = "- Parameters: 7B"
    model(tmp_path / "quantised", quantization_config={"quant_method": "awq"})
    model(tmp_path / "packed", dtype="U8")
    model(tmp_path / "shard")
    (tmp_path / "shard" / "model.safetensors").rename(tmp_path / "shard" / "model-00001-of-00002.safetensors")
    model(tmp_path / "part")
    (tmp_path / "part" / "config.json").unlink()
    (tmp_path / "part" / "modules.json").write_text("[]")
    for folder in ("quantised", "packed", "shard", "part"):
        assert not weights_findings(text, tmp_path / folder, "TRAIN014"), folder
    assert not findings_of(subject(text), "TRAIN014")


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("- Tensor type: fp16", "- Tensor type: bf16"),
        ("- **torch_dtype:** `torch.float16`", "- **torch_dtype:** `torch.bfloat16`"),
        ("- Tensor type: BF16", None),
        ("- Training regime: fp16 mixed precision", None),
        ("```\ndtype: fp16\n```", None),
    ],
)
def test_the_type_of_the_weights(text: str, after: str | None, tmp_path: Path) -> None:
    model(tmp_path)
    found = weights_findings(text, tmp_path, "TRAIN015")
    assert len(found) == (after is not None)
    if after is not None:
        assert fixed(text, found[0]) == after
