"""The reading pass of `hubpub check --deep` beside plain SHA-256 of the same files, and beside tools that read weights.

    python benchmarks/deep.py [--gb 1.5] [--runs 5] [--scratch DIR]

The model is 1.5 GB of random F16 numbers in three shards, in the page cache. First, in one process and in turn: SHA-256
of the shards by hashlib on two threads, and hubpub's pass, which gives the same hashes and the values of every tensor;
in wall time and in processor time, which other work on the machine disturbs less. Then whole commands, each in its own
process: their time as a multiple of that of plain SHA-256. Whatever is not installed is listed as skipped.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REPO = Path(__file__).parents[1]
sys.path[:0] = [str(REPO), str(REPO / "tests")]

from support.models import save_plain  # noqa: E402
from support.weights import header_of, write_raw  # noqa: E402

SHARDS = 3
SIDE = 4096

# Both sides of the comparison, alternating, with nothing kept between the runs.
PASS = """
import hashlib, json, sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from hubpub.model.digests import read_all
from hubpub.model.folder import ModelFolder
from hubpub.model.reading_cache import ReadingCache
from hubpub.model.tensors import value_spans

class Nothing(ReadingCache):
    def get(self, *_): return None
    def put(self, *_): pass

root, runs = Path(sys.argv[1]), int(sys.argv[2])
shards = sorted(root.glob("*.safetensors"))

def plain():
    def digest(path):
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    with ThreadPoolExecutor(2) as pool:
        return dict(zip((path.name for path in shards), pool.map(digest, shards)))

def ours():
    model = ModelFolder.open(root)
    return read_all(
        [entry for entry in model.release_files if entry.suffix == ".safetensors"],
        spans=value_spans(model.tensor_files), open_file=model.open_file, directory=root, cache=Nothing(root),
    )

def timed(work):
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor

assert {path: reading.sha256 for path, reading in ours().items()} == plain()
print(json.dumps([[timed(plain), timed(ours)] for _ in range(runs)]))
"""

# Runs the command that follows it, and reports its wall time and the largest resident set.
CHILD = """
import json, resource, subprocess, sys, time
started = time.perf_counter()
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
seconds = time.perf_counter() - started
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000, done.returncode]))
"""

PLAIN = """
import hashlib, sys
from concurrent.futures import ThreadPoolExecutor
def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
with ThreadPoolExecutor(2) as pool:
    print(*pool.map(digest, sys.argv[1:]))
"""


def build(folder: Path, size: float) -> None:
    """A Llama-like model of `size` bytes, in shards of random numbers."""
    import numpy as np

    save_plain(folder)
    (folder / "model.safetensors").unlink()
    (folder / "config.json").write_text('{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}')
    numbers = (np.random.default_rng(0).standard_normal(SIDE * SIDE, np.float32) * 0.02).astype(np.float16).tobytes()
    count = max(round(size / SHARDS / len(numbers)), 1)
    weight_map = {}
    for shard in range(SHARDS):
        name = f"model-{shard + 1:05d}-of-{SHARDS:05d}.safetensors"
        layers = range(shard * count, (shard + 1) * count)
        tensors = {f"model.layers.{layer}.mlp.up_proj.weight": ("F16", (SIDE, SIDE)) for layer in layers}
        write_raw(folder / name, header_of(tensors)[0], b"")
        with (folder / name).open("ab") as file:
            for layer in layers:  # the same numbers in another order, so that no two tensors are alike
                at = (layer + 1) * 2048
                file.write(numbers[at:] + numbers[:at])
        weight_map |= dict.fromkeys(tensors, name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


def commands(folder: Path) -> dict[str, list[str] | None]:
    """What is measured, by name; None for a tool that is not installed."""
    python, shards = sys.executable, [str(path) for path in sorted(folder.glob("*.safetensors"))]
    beside = Path(sys.executable).parent

    def tool(name: str, *arguments: str) -> list[str] | None:
        found = shutil.which(name, path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
        return [found, *arguments] if found else None

    return {
        "sha256, 2 threads": [python, "-c", PLAIN, *shards],
        "hubpub check": [python, "-m", "hubpub", "check", str(folder)],
        "hubpub check --deep": [python, "-m", "hubpub", "check", str(folder), "--deep"],
        "picklescan": tool("picklescan", "-p", str(folder)),
        "hayward (500 MB a file)": tool("hayward", "scan", str(folder)),
        "hayward --max-size 20g": tool("hayward", "scan", "--max-size", "20g", str(folder)),
        "modelaudit": tool("modelaudit", "scan", str(folder)),
    }


def run(command: list[str]) -> tuple[float, float, int]:
    """Seconds, peak MB and exit code of one run; nothing is cached from an earlier one, and no tool reports home."""
    with tempfile.TemporaryDirectory() as cache:
        env = {**os.environ, "HUBPUB_CACHE_DIR": cache, "PROMPTFOO_DISABLE_TELEMETRY": "1", "CI": "true"}
        whole = [sys.executable, "-c", CHILD, *command]
        done = subprocess.run(whole, capture_output=True, text=True, check=True, cwd=REPO, env=env)
    seconds, peak, code = json.loads(done.stdout)
    return seconds, peak, code


def main() -> None:
    """Print the ratio of the passes, then one line per command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gb", type=float, default=1.5)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument(
        "--scratch", type=Path, help="where to put the model; default: the system's temporary directory"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as temporary:
        folder = Path(temporary) / "model"
        build(folder, arguments.gb * 1e9)
        size = sum(path.stat().st_size for path in folder.iterdir())
        command = [sys.executable, "-c", PASS, str(folder), str(arguments.runs)]
        pairs = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPO).stdout)
        print(f"{size / 1e9:.2f} GB in {SHARDS} shards, {arguments.runs} alternating runs, medians")
        for which, what in enumerate(("wall time", "processor time")):
            plain, ours = (statistics.median(pair[side][which] for pair in pairs) for side in range(2))
            ratio = statistics.median(pair[0][which] / pair[1][which] for pair in pairs)
            print(f"{what:<15} sha256 {plain:.2f} s, hash and values {ours:.2f} s: {ratio:.2f} of its speed (pairwise)")
        print()
        print(f"{'command':<26} {'seconds':>8} {'of sha256':>10} {'peak MB':>8}  exit")
        base = 0.0
        for name, whole in commands(folder).items():
            if whole is None:
                print(f"{name:<26} skipped: not installed")
                continue
            results = [run(whole) for _ in range(arguments.runs)]
            seconds = statistics.median(result[0] for result in results)
            base = base or seconds
            peak = max(result[1] for result in results)
            print(f"{name:<26} {seconds:>8.2f} {seconds / base:>10.2f} {peak:>8.0f}  {results[0][2]}")


if __name__ == "__main__":
    main()
