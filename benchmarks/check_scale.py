"""How long `hubpub check` takes, and how much memory, on models of any size.

The models are sparse files: real headers and indexes, holes for data, so that a terabyte costs a few megabytes of
disk. Each run is a fresh process: `python -m hubpub check FOLDER`.

    python benchmarks/check_scale.py
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REPO = Path(__file__).parents[1]
sys.path[:0] = [str(REPO), str(REPO / "tests")]

from support.models import save_plain  # noqa: E402
from support.weights import Shapes, llama_shards, write_shards  # noqa: E402

RUNS = 5

# Runs the command that follows it, and reports its wall time and the largest resident set of all its children.
CHILD = """
import json, resource, subprocess, sys, time
started = time.perf_counter()
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({"code": done.returncode, "seconds": seconds, "peak_kb": peak, "said": done.stdout + done.stderr}))
"""


def mixture_shards(layers: int, experts: int, hidden: int, width: int, count: int) -> list[Shapes]:
    """A mixture of experts in the Hub's layout: three tensors per expert and layer."""
    tensors: Shapes = {"model.embed_tokens.weight": ("BF16", (151936, hidden))}
    for layer in range(layers):
        for expert in range(experts):
            prefix = f"model.layers.{layer}.mlp.experts.{expert}."
            tensors |= {f"{prefix}{name}_proj.weight": ("BF16", (width, hidden)) for name in ("gate", "up", "down")}
    names = list(tensors)
    size = -(-len(names) // count)
    return [{name: tensors[name] for name in names[at : at + size]} for at in range(0, len(names), size)]


SHAPES = {
    "tiny BERT": None,
    "1 TB, 100 shards": lambda: llama_shards(126, 18432, 61440, 128256, 100),
    "Llama-405B, 191 shards": lambda: llama_shards(126, 16384, 53248, 128256, 191),
    "36,097 tensors, 118 shards": lambda: mixture_shards(94, 128, 4096, 1536, 118),
}


def enlarge_tokenizer(folder: Path, tokens: int) -> None:
    """Give the tokenizer as many tokens as the model has room for."""
    path = folder / "tokenizer.json"
    document = json.loads(path.read_text())
    vocabulary = document["model"]["vocab"]
    vocabulary |= {f"t{number}": number for number in range(len(vocabulary), tokens)}
    path.write_text(json.dumps(document))


def measure(folder: Path) -> tuple[float, float, str]:
    """Median seconds, peak MB, and the last line that the command printed."""
    seconds, peaks, said = [], [], ""
    for _ in range(RUNS):
        command = [sys.executable, "-c", CHILD, sys.executable, "-m", "hubpub", "check", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPO)
        result = json.loads(done.stdout)
        if result["code"] != 0:
            raise SystemExit(f"hubpub check failed:\n{result['said']}")
        seconds.append(result["seconds"])
        peaks.append(result["peak_kb"])
        said = (result["said"].strip().splitlines() or [""])[-1]
    return statistics.median(seconds), max(peaks) / 1000, said


def main() -> None:
    """Print one line per model."""
    print(f"{'model':30} {'data':>10} {'seconds':>8} {'peak MB':>8}")
    for name, shards in SHAPES.items():
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "model"
            save_plain(folder)
            if shards is not None:
                (folder / "model.safetensors").unlink()
                (folder / "config.json").write_text('{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}')
                made = shards()
                write_shards(folder, made)
                enlarge_tokenizer(folder, made[0]["model.embed_tokens.weight"][1][0])
            data = sum(path.stat().st_size for path in folder.iterdir())
            seconds, peak, said = measure(folder)
            print(f"{name:30} {data / 1e9:>8.1f}GB {seconds:>8.2f} {peak:>8.0f}  {said}")


if __name__ == "__main__":
    main()
