"""How long `hubpub card` takes, beside what other tools need to make a card, by turns in one run.

    python benchmarks/card.py [--runs 7]

Each run is a fresh process; the least processor time and wall time of them count. The folders are a tiny BERT, the same
with a chat template (which is rendered in a process of its own), and a model of 100 shards and 1 TB made of sparse
files, with a tokenizer of 128,256 tokens: by a hubpub that has never seen it, with an empty cache directory in each run
as in a CI job, and by one that has. `ModelCard.from_template` fills the Hub's template with a name and a licence:
it reads no model. Importing `Trainer` is the least that `Trainer.create_model_card` takes, as it needs one.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).parents[1]
sys.path[:0] = [str(REPO), str(REPO / "tests"), str(REPO / "benchmarks")]

from check_scale import SHAPES, enlarge_tokenizer  # noqa: E402
from support.models import save_plain  # noqa: E402
from support.weights import write_shards  # noqa: E402

SHARDED = "1 TB, 100 shards"
AGAIN = "the same, seen before"
CONFIG = '{"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 128256, "hidden_size": 18432}'
CHAT = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<|a|>{% endif %}"
)
FROM_TEMPLATE = """
from huggingface_hub import ModelCard, ModelCardData
print(ModelCard.from_template(ModelCardData(license="mit"), model_id="acme/x"))
"""
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def folders(place: Path) -> dict[str, Path]:
    """The models to write cards of, by what they are called in the table."""
    tiny, chat, sharded = place / "tiny", place / "chat", place / "sharded"
    for folder in (tiny, chat, sharded):
        save_plain(folder)
    (chat / "chat_template.jinja").write_text(CHAT)
    (sharded / "model.safetensors").unlink()
    (sharded / "config.json").write_text(CONFIG)
    shape = SHAPES[SHARDED]
    assert shape is not None
    write_shards(sharded, shape())
    enlarge_tokenizer(sharded, 128256)
    return {"a tiny model": tiny, "with a chat template": chat, SHARDED: sharded}


def measure(command: list[str], cache: Path) -> tuple[float, float]:
    """Processor seconds with those of children, and wall seconds."""
    environment = {**ENVIRONMENT, "HUBPUB_CACHE_DIR": str(cache)}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPO, env=environment, check=False)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def main() -> None:
    """Print one line per command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as temporary:
        python, empty, kept = sys.executable, Path(temporary) / "empty", Path(temporary) / "kept"
        commands = {
            f"hubpub card, {name}": [python, "-m", "hubpub", "card", str(folder)]
            for name, folder in folders(Path(temporary)).items()
        }
        commands[AGAIN] = commands[f"hubpub card, {SHARDED}"]
        commands["ModelCard.from_template"] = [python, "-c", FROM_TEMPLATE]
        commands["import of transformers.Trainer"] = [python, "-c", "from transformers import Trainer"]
        best: dict[str, tuple[float, float]] = {}
        time.sleep(3)  # what was written just now is not remembered
        for _ in range(runs):
            for name, command in commands.items():
                shutil.rmtree(empty, ignore_errors=True)
                processor, wall = measure(command, kept if name == AGAIN else empty)
                known = best.get(name, (processor, wall))
                best[name] = (min(known[0], processor), min(known[1], wall))
    base = best["ModelCard.from_template"][0]
    print(f"{'':38} {'CPU s':>6} {'wall s':>7} {'of from_template':>17}")
    for name, (processor, wall) in best.items():
        print(f"{name:38} {processor:>6.2f} {wall:>7.2f} {processor / base:>17.2f}")


if __name__ == "__main__":
    main()
