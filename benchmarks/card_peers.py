"""The card that `hubpub card` writes for a saved folder, beside those of other generators for the same training run.

    python benchmarks/card_peers.py [--keep DIR] [--json FILE]

The runs are those of tests/support/tiny_runs.py: real ones, seconds each. Every generator gets what its users give it
without being asked for words: `Trainer.create_model_card()` and sentence-transformers the live objects after training,
PEFT what it saves, skops the metrics and, as if it were a model of scikit-learn, the arguments of the training,
`ModelCard.from_template` nothing; hubpub the saved folder, without the README.md that another tool left there: once
as the Trainer alone leaves it, and once with what `hubpub.training.CardCallback` recorded.

Two questions are asked of each card: how many of the seven sections of the Hugging Face course hold more than a
placeholder (`hubpub.card.sections`, so hubpub's own yardstick), and which facts of the run are in it. The facts are
read here from the files of the run with `json` alone, not with hubpub's readers; a number counts when the card has it
to at least three digits, a small one when its name is on the same line.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

REPO = Path(__file__).parents[1]
sys.path[:0] = [str(REPO), str(REPO / "tests")]

from hubpub.card.document import Card  # noqa: E402
from hubpub.card.metadata.frontmatter import read_front_matter  # noqa: E402
from hubpub.card.sections import score  # noqa: E402

RECORDED = "hubpub card + CardCallback"
TOOLS = (
    "hubpub card",
    RECORDED,
    "Trainer.create_model_card",
    "sentence-transformers",
    "PEFT",
    "skops",
    "ModelCard.from_template",
)
RUNS = (
    "text_classifier",
    "token_classifier",
    "chat_lm",
    "seq2seq",
    "image_classifier",
    "adapter",
    "embedder",
)
METADATA = ("library_name", "pipeline_tag", "tags", "model-index", "base_model", "base_model_relation", "metrics")
NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?(?![\w])", re.IGNORECASE)


class Fact(NamedTuple):
    """Something that the files of a run say.

    Attributes:
        name: what it is.
        found: whether a card says it too.
    """

    name: str
    found: Callable[[Card], bool]


def train(root: Path) -> None:
    """Train all runs below `root`, and write the cards of the generators that need the live objects."""
    from support import tiny_runs

    finish, cards = tiny_runs.finish, root / "cards"

    def finish_with_cards(trainer: Any) -> None:
        from hubpub.training import CardCallback

        if not any(isinstance(one, CardCallback) for one in trainer.callback_handler.callbacks):
            trainer.add_callback(CardCallback())
        finish(trainer)
        folder = Path(trainer.args.output_dir)
        readme = folder / "README.md"
        if readme.is_file():  # as the library of the model saved it
            saved_by = "PEFT" if (folder / "adapter_config.json").is_file() else "sentence-transformers"
            keep(cards, saved_by, folder.name, readme.read_text(encoding="utf-8"))
        if not hasattr(trainer, "evaluator"):  # sentence-transformers' Trainer writes its own card again
            trainer.create_model_card()
            keep(cards, "Trainer.create_model_card", folder.name, readme.read_text(encoding="utf-8"))
        readme.unlink()
        keep(cards, "ModelCard.from_template", folder.name, template_card())
        keep(cards, "skops", folder.name, skops_card(trainer.args, folder))

    tiny_runs.finish = finish_with_cards
    tiny_runs.main(root)


def keep(cards: Path, tool: str, run: str, text: str) -> None:
    """Put a card where `main` finds it."""
    path = cards / tool / f"{run}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def template_card() -> str:
    """The Hub's own template, nothing said."""
    from huggingface_hub import ModelCard, ModelCardData

    return str(ModelCard.from_template(ModelCardData()))


class Estimator:
    """What skops takes for a model of scikit-learn: the arguments of the training are its parameters."""

    def __init__(self, arguments: Any) -> None:
        self.arguments = arguments

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters."""
        return dict(self.arguments.to_dict())


def skops_card(arguments: Any, folder: Path) -> str:
    """skops' card with the metrics of the evaluation, as its documentation shows it."""
    from skops import card

    made = card.Card(Estimator(arguments), model_diagram=False)
    made.add_metrics(**numbers(folder / "eval_results.json"))
    return str(made.render())


def numbers(path: Path) -> dict[str, float]:
    """The numbers in a JSON object."""
    values: Mapping[str, Any] = json.loads(path.read_bytes())
    return {key: value for key, value in values.items() if isinstance(value, int | float)}


def hubpub_card(folder: Path, run: str) -> str:
    """What the command writes to a terminal."""
    command = [sys.executable, "-m", "hubpub", "card", str(folder), "--repo-id", f"acme/{run}"]
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=120).stdout


def facts(folder: Path) -> Iterator[Fact]:
    """What the files of a run say, and a card could."""
    config = read(folder / "config.json")
    adapter = read(folder / "adapter_config.json")
    state = read(folder / "trainer_state.json")
    results = {**numbers(folder / "train_results.json"), **numbers(folder / "eval_results.json")}
    log = state["log_history"]

    for key in METADATA:
        if key in ("base_model", "base_model_relation") and not names_a_base(folder, adapter):
            continue
        if key in ("model-index", "metrics") and not measured(results):
            continue
        yield Fact(f"metadata: {key}", lambda card, key=key: bool((read_front_matter(card.text).data or {}).get(key)))

    yield Fact("architecture", says(adapter.get("peft_type") or config.get("architectures", ["?"])[0]))
    yield Fact("number of parameters", number(parameters(folder)))
    yield Fact("data type", says("float32", "F32"))
    for name, key in (
        ("vocabulary", "vocab_size"),
        ("hidden size", "hidden_size"),
        ("context length", "max_position_embeddings"),
    ):
        if key in config:
            yield Fact(name, number(config[key], name, "sequence length", "dimension"))
    labels = config.get("id2label")
    if labels:
        yield Fact("labels", lambda card: all(label in card.text for label in labels.values()))
    if adapter:
        yield Fact("rank of the adapter", number(adapter["r"], "rank", "r"))
        yield Fact("target modules", says(*adapter["target_modules"], every=True))

    yield Fact("training loss", number(results["train_loss"]))
    yield Fact("evaluation loss", number(results["eval_loss"]))
    for key in measured(results):
        yield Fact(
            f"evaluation: {key}",
            number(results[key], key.removeprefix("eval_").replace("_", " "), key.removeprefix("eval_")),
        )
    yield Fact("examples trained on", number(results["train_samples"], "train", "sample", "example", "rows", "size"))
    yield Fact(
        "examples evaluated on", number(results["eval_samples"], "eval", "sample", "example", "measured", "size")
    )
    yield Fact("steps", number(state["global_step"], "step"))
    yield Fact("epochs", number(state["epoch"], "epoch"))
    yield Fact("batch size", number(state["train_batch_size"], "batch"))
    yield Fact("learning rate", number(0.001 if folder.name == "text_classifier" else 0.003, "learning"))
    yield Fact("training time", number(results["train_runtime"]))
    history = [entry["eval_loss"] for entry in log if "eval_loss" in entry]
    if len(history) > 2:
        middle = history[len(history) // 2]
        yield Fact("loss over time", number(middle))
    yield Fact("version of the library", says(version(folder, config, adapter)))
    yield Fact("Python code that names the model", names_itself(folder.name))


def read(path: Path) -> dict[str, Any]:
    """A JSON object; an empty one when it is not there."""
    return dict(json.loads(path.read_bytes())) if path.is_file() else {}


def names_a_base(folder: Path, adapter: Mapping[str, Any]) -> bool:
    """Whether the model was made from another, by the code in tests/support/tiny_runs.py."""
    return bool(adapter) or folder.name in ("text_classifier", "token_classifier", "embedder")


def measured(results: Mapping[str, float]) -> list[str]:
    """The names of the metrics of the evaluation."""
    housekeeping = ("loss", "runtime", "per_second", "samples")
    return [key for key in results if key.startswith("eval_") and not key.endswith(housekeeping)]


def parameters(folder: Path) -> int:
    """As the headers of the safetensors files say."""
    total = 0
    for path in folder.glob("*.safetensors"):
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
        for name, tensor in header.items():
            size = 1
            for dimension in tensor.get("shape", [0]) if name != "__metadata__" else [0]:
                size *= dimension
            total += size
    return total


def version(folder: Path, config: Mapping[str, Any], adapter: Mapping[str, Any]) -> str:
    """Of the library that saved the model."""
    saved = read(folder / "config_sentence_transformers.json").get("__version__", {}).get("sentence_transformers")
    return str(saved or adapter.get("peft_version") or config.get("transformers_version"))


def says(*words: str, every: bool = False) -> Callable[[Card], bool]:
    """Whether a card has one of the words, or every one, outside of comments."""
    check = all if every else any
    return lambda card: check(word in visible(card.text) for word in words)


def names_itself(run: str) -> Callable[[Card], bool]:
    """Whether a block of Python names the model rather than a placeholder."""
    code = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return lambda card: any(f"acme/{run}" in block for block in code.findall(card.text))


def number(value: float, *words: str) -> Callable[[Card], bool]:
    """Whether a card has the number: on a line with one of the words, when it is too common to be known by itself."""
    alone = len(f"{value:g}".replace(".", "").replace("-", "").strip("0")) >= 3
    named = re.compile("|".join(map(re.escape, words)), re.IGNORECASE) if words else None

    def found(card: Card) -> bool:
        lines = card.text.splitlines()
        header = ""
        for at, line in enumerate(lines):
            if re.fullmatch(r"[|:\- ]+", line.strip() or "x") and at:
                header = lines[at - 1]  # of a table: its names are those of the columns
            elif "|" not in line:
                header = ""
            if not alone and named and not named.search(line) and not named.search(header):
                continue
            if any(same(value, text) for text in NUMBER.findall(line)):
                return True
        return False

    return found


def same(value: float, text: str) -> bool:
    """Whether a text is the number, exactly or rounded to no less than three digits."""
    plain = text.replace(",", "")
    if float(plain) == float(value):
        return True
    mantissa = plain.lower().partition("e")[0].lstrip("-")
    decimals = len(mantissa.partition(".")[2])
    digits = len(mantissa.replace(".", "").lstrip("0"))
    return digits >= 3 and "e" not in plain.lower() and round(float(value), decimals) == float(plain)


def visible(text: str) -> str:
    """A card without its comments."""
    return re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)


def main() -> int:
    """Train, write the cards, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--keep", type=Path, help="leave runs and cards in this directory; runs that are there are used"
    )
    parser.add_argument("--json", type=Path, dest="json_file", help="write the table to this file too")
    parser.add_argument("--train", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.train:
        warnings.simplefilter("ignore")
        train(given.train)
        return 0
    root = (given.keep or Path(tempfile.mkdtemp(prefix="hubpub-cards-"))).resolve()
    root.mkdir(parents=True, exist_ok=True)
    try:
        if not (root / "cards").is_dir():
            environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
            command = [sys.executable, __file__, "--train", str(root)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        for run in RUNS:
            keep(root / "cards", RECORDED, run, hubpub_card(root / run, run))
            with tempfile.TemporaryDirectory() as plain:
                folder = Path(plain) / run
                shutil.copytree(root / run, folder, ignore=shutil.ignore_patterns("hubpub_run.json"))
                keep(root / "cards", "hubpub card", run, hubpub_card(folder, run))
        table = compare(root)
    finally:
        if not given.keep:
            shutil.rmtree(root)
    show(table)
    if given.json_file:
        given.json_file.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    return 0


def compare(root: Path) -> dict[str, dict[str, Any]]:
    """By run and tool: sections filled, facts found, and the names of those that are missing."""
    table: dict[str, dict[str, Any]] = {}
    for run in RUNS:
        known = list(facts(root / run))
        for tool in TOOLS:
            path = root / "cards" / tool / f"{run}.md"
            if not path.is_file():
                continue
            card = Card.parse(path.read_text(encoding="utf-8"))
            missing = [fact.name for fact in known if not fact.found(card)]
            table.setdefault(run, {})[tool] = {
                "sections": score(card)[0],
                "facts": len(known) - len(missing),
                "known": len(known),
                "missing": missing,
            }
    return table


def show(table: Mapping[str, Mapping[str, Any]]) -> None:
    """The table as Markdown, and what hubpub's cards lack."""
    print("sections filled of 7, facts of the run found of those that its files hold\n")
    print("| run | " + " | ".join(TOOLS) + " |")
    print("|---" * (len(TOOLS) + 1) + "|")
    for run, row in table.items():
        cells = [
            f"{row[tool]['sections']}, {row[tool]['facts']}/{row[tool]['known']}" if tool in row else ""
            for tool in TOOLS
        ]
        print(f"| {run} | " + " | ".join(cells) + " |")
    for run, row in table.items():
        for tool in ("hubpub card", RECORDED):
            if missing := row[tool]["missing"]:
                print(f"\n{tool}, {run}: lacks {', '.join(missing)}")


if __name__ == "__main__":
    sys.exit(main())
