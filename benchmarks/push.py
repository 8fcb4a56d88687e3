"""What `hubpub push` costs beside the bare `HfApi.create_commit` of the same files, and what plans cost.

    python benchmarks/push.py [--gb 2] [--runs 3] [--only overhead,again,small,sparse] [--scratch DIR]

The embedded hub and each client are processes of their own. Push and create_commit go by turns, each time with weights
that neither the hub nor the client has seen, into a new repo; only the ratio of the two says something. Memory is the
largest of the push and its children together; what is read comes from /proc/PID/io of both, so Linux is needed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

REPO_ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(REPO_ROOT), str(REPO_ROOT / "tests")]

TOKEN = "hf_benchmark"
PARTS = ("overhead", "again", "small", "sparse")
SHARDS = 4
SMALL = 100_000
BARE = """
import sys
from pathlib import Path
from huggingface_hub import CommitOperationAdd, HfApi
api = HfApi()
api.create_repo(sys.argv[1], exist_ok=True)
files = [CommitOperationAdd(path.name, path) for path in sorted(Path(sys.argv[2]).iterdir())]
api.create_commit(sys.argv[1], files, commit_message="files")
"""


@contextlib.contextmanager
def hub(root: Path) -> Iterator[dict[str, str]]:
    """A hub in a process of its own; the environment of its clients."""
    command = [sys.executable, "-m", "hubpub", "serve", "--root", str(root), "--port", "0"]
    with subprocess.Popen(
        [*command, "--token", f"{TOKEN}=alice:write"], stdout=subprocess.PIPE, text=True, cwd=REPO_ROOT
    ) as server:
        assert server.stdout is not None
        endpoint = server.stdout.readline().strip()
        try:
            yield {
                **os.environ,
                "HF_ENDPOINT": endpoint,
                "HF_TOKEN": TOKEN,
                "HF_HOME": str(root.parent / "hf"),
                "HUBPUB_CACHE_DIR": str(root.parent / "cache"),
                "HF_HUB_DISABLE_TELEMETRY": "1",
                "HF_HUB_DISABLE_PROGRESS_BARS": "1",
                "PYTHONPATH": str(REPO_ROOT),
            }
        finally:
            server.terminate()


def family(pid: int) -> list[int]:
    """A process and those that it started."""
    found = [pid]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += family(int(child))
    return found


def figures(pid: int) -> tuple[int, int]:
    """(bytes of memory that are not of files, bytes read) of a process."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        io = Path(f"/proc/{pid}/io").read_text()
    except OSError:
        return 0, 0
    memory = sum(int(line.split()[1]) for line in status.splitlines() if line.startswith(("RssAnon:", "RssFile:")))
    return memory * 1024, int(io.split("rchar:")[1].split()[0])


def run(command: list[str], environment: dict[str, str]) -> tuple[float, int, int, str]:
    """(seconds, most memory at once, bytes read, what it said)."""
    started = time.perf_counter()
    most = read = 0
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=REPO_ROOT
    ) as process:
        while process.poll() is None:
            now = 0
            for pid in family(process.pid):
                memory, chars = figures(pid)
                now += memory
                # Once a child has ended, what it read counts as its parent's.
                read = max(read, chars) if pid == process.pid else read
            most = max(most, now)
            time.sleep(0.02)
        said = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SystemExit(said)
    return time.perf_counter() - started, most, read, said


def weights(folder: Path, size: int) -> None:
    """A model whose numbers nobody has seen: in shards, with an index that loaders find."""
    import numpy
    import safetensors.numpy

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text("{}")
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Benchmark\n")
    names = {}
    random = numpy.random.default_rng()
    for shard in range(SHARDS):
        name = f"model-{shard + 1:05}-of-{SHARDS:05}.safetensors"
        values = random.standard_normal(size // SHARDS // 4, dtype="f4")
        safetensors.numpy.save_file({f"part.{shard}": values.reshape(-1, 1)}, folder / name)
        names[f"part.{shard}"] = name
    index = {"metadata": {"total_size": size // SHARDS // 4 * 4 * SHARDS}, "weight_map": names}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def push(folder: Path, repo: str, *more: str) -> list[str]:
    return [sys.executable, "-m", "hubpub", "push", str(folder), "--repo", repo, *more]


def overhead(scratch: Path, environment: dict[str, str], size: int, runs: int) -> None:
    ratios, memory, reads = [], [], []
    for number in range(runs):
        seconds = {}
        order = ("bare", "push") if number % 2 else ("push", "bare")
        for who in order:
            folder = scratch / f"{who}-{number}"
            weights(folder, size)
            os.sync()
            repo = f"alice/{who}-{number}"
            command = [sys.executable, "-c", BARE, repo, str(folder)] if who == "bare" else push(folder, repo)
            seconds[who], most, read, _ = run(command, environment)
            if who == "push":
                memory.append(most)
                reads.append(read / size)
            for file in folder.iterdir():
                file.unlink()
        ratios.append(seconds["push"] / seconds["bare"])
        print(f"  push {seconds['push']:.1f} s, create_commit {seconds['bare']:.1f} s: {ratios[-1]:.2f}", flush=True)
    print(f"overhead: {statistics.median(ratios):.2f} x create_commit (target 1.15)")
    print(f"memory: {max(memory) / 1e6:.0f} MB at most (target 400)")
    print(f"read: {max(reads):.2f} bytes for each byte of the model (target 2)", flush=True)


def again(scratch: Path, environment: dict[str, str], size: int) -> None:
    folder = scratch / "again"
    weights(folder, size)
    time.sleep(2.5)  # what was written a moment ago is not trusted to be the same
    run(push(folder, "alice/again"), environment)
    seconds, most, read, said = run(push(folder, "alice/again"), environment)
    assert "nothing to publish" in said, said
    print(
        f"again: {seconds:.2f} s (target 2), {read / size:.3f} bytes read for each byte, {most / 1e6:.0f} MB",
        flush=True,
    )


def small(scratch: Path, environment: dict[str, str]) -> None:
    folder = scratch / "small"
    weights(folder, 4096)
    for number in range(SMALL):
        place = folder / f"data-{number // 1000:03}"
        if number % 1000 == 0:
            place.mkdir()
        (place / f"{number:06}.txt").write_text(str(number))
    plan = [sys.executable, "-m", "hubpub", "plan", str(folder), "--repo", "alice/small"]
    seconds, most, _, _ = run(plan, environment)
    print(f"plan of {SMALL:,} small files: {seconds:.1f} s (target 60), {most / 1e6:.0f} MB", flush=True)


def sparse(scratch: Path, environment: dict[str, str]) -> None:
    from support.models import save_plain
    from support.weights import llama_shards, write_shards

    folder = scratch / "sparse"
    save_plain(folder)
    (folder / "model.safetensors").unlink()
    write_shards(folder, llama_shards(126, 18432, 61440, 128256, 100))
    plan = [sys.executable, "-m", "hubpub", "plan", str(folder), "--repo", "alice/sparse", "--depth", "quick"]
    seconds, most, _, _ = run([*plan, "--ignore", "WEIGHT", "--ignore", "CONF", "--ignore", "TOKEN"], environment)
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"plan of {size / 1e12:.2f} TB: {seconds:.1f} s (target 10), {most / 1e6:.0f} MB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gb", type=float, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--scratch", type=Path)
    given = parser.parse_args()
    chosen, size = given.only.split(","), int(given.gb * 1e9)
    with tempfile.TemporaryDirectory(dir=given.scratch) as temporary:
        scratch = Path(temporary)
        with hub(scratch / "hub") as environment:
            print(f"load: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", flush=True)
            if "small" in chosen:
                small(scratch, environment)
            if "sparse" in chosen:
                sparse(scratch, environment)
            if "overhead" in chosen:
                overhead(scratch, environment, size, given.runs)
            if "again" in chosen:
                again(scratch, environment, size)


if __name__ == "__main__":
    main()
