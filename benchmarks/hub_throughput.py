"""The embedded hub with the real client on loopback, beside a file copy and hf_xet's own hashing of the same files.

    python benchmarks/hub_throughput.py [--gib 2] [--only upload,changed,metadata,files,memory] [--scratch DIR]

Everything is measured in one run, with `hubpub serve` and each client in processes of their own, because a rate alone
says more about the machine than about the hub. What the ratios are to:

- `copy + fsync`: the same files copied once and flushed; the hub flushes too before it says that it has a file;
- `hash_files`: hf_xet's chunking and hashing of the same files, on all cores;
- `the client`: the processor time that this very client used, on all cores. On one machine it cannot go faster than
  this, even if the hub cost nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
SHARDS = 4
TOKEN = "hf_benchmark"
REPO = "bench/model"
PARTS = ("upload", "changed", "metadata", "files", "memory")
REPO_ROOT = Path(__file__).parents[1]

# Each runs in a process of its own, since the client reads its settings at import; it prints the seconds that it took.
UPLOAD = """
import sys, time
from huggingface_hub import CommitOperationAdd, HfApi
api = HfApi()
api.create_repo(sys.argv[1], exist_ok=True)
started = time.perf_counter()
files = [CommitOperationAdd(path.rpartition("/")[2], path) for path in sys.argv[2:]]
api.create_commit(sys.argv[1], files, commit_message="files")
print(time.perf_counter() - started, time.process_time())
"""
DOWNLOAD = """
import sys, time
from huggingface_hub import snapshot_download
started = time.perf_counter()
snapshot_download(sys.argv[1], local_dir=sys.argv[2])
print(time.perf_counter() - started, time.process_time())
"""
HASH = """
import sys, time, hf_xet
started = time.perf_counter()
hf_xet.hash_files(sys.argv[1:])
print(time.perf_counter() - started)
"""
MANY = """
import sys, time
from huggingface_hub import CommitOperationAdd, HfApi
api = HfApi()
api.create_repo(sys.argv[1], exist_ok=True)
files = [CommitOperationAdd(f"d{n % 100}/f{n}.txt", f"file {n}".encode()) for n in range(10_000)]
started = time.perf_counter()
api.create_commit(sys.argv[1], files, commit_message="files")
committed = time.perf_counter()
assert len(list(api.list_repo_tree(sys.argv[1], recursive=True))) >= 10_000
listed = time.perf_counter()
api.model_info(sys.argv[1])
print(committed - started, listed - committed, time.perf_counter() - listed)
"""


@dataclass(frozen=True)
class Server:
    """A `hubpub serve` of its own."""

    endpoint: str
    root: Path
    pid: int

    def peak_mib(self) -> float:
        """The most memory that the process ever had resident."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise OSError("no VmHWM in /proc")

    def cpu_seconds(self) -> float:
        """Processor time that the process has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stored(self) -> int:
        """Bytes below the data folder."""
        return sum(path.stat().st_size for path in self.root.rglob("*") if path.is_file())

    def client(self, home: Path, code: str, *args: str, **env: str) -> list[float]:
        """Run a client with this hub as its Hub."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        ours = {"HF_ENDPOINT": self.endpoint, "HF_TOKEN": TOKEN, "HF_HOME": str(home), "PYTHONWARNINGS": "ignore"}
        quiet = {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        done = subprocess.run(
            [sys.executable, "-c", code, *args],
            env=kept | ours | quiet | env,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return [float(word) for word in done.stdout.split()]


@contextlib.contextmanager
def serving(root: Path) -> Iterator[Server]:
    arguments = ["serve", "--root", str(root), "--port", "0", "--token", f"{TOKEN}=bench:write"]
    code = "from hubpub.cli.main import main; main()"
    env = {**os.environ, "PYTHONPATH": str(REPO_ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=env, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield Server(process.stdout.readline().strip(), root, process.pid)
        finally:
            process.terminate()


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def write_random(path: Path, size: int) -> None:
    with path.open("wb") as file:
        for start in range(0, size, 4 * MIB):
            file.write(random.randbytes(min(4 * MIB, size - start)))


def copy_durably(paths: list[Path], folder: Path) -> None:
    folder.mkdir()
    for path in paths:
        with path.open("rb") as source, (folder / path.name).open("wb") as target:
            while block := source.read(MIB):
                target.write(block)
            target.flush()
            os.fsync(target.fileno())


def change_one_percent(paths: list[Path]) -> None:
    for path in paths:
        size = path.stat().st_size
        with path.open("r+b") as file:
            for number in range(5):
                file.seek(size // 5 * number + size // 11)
                file.write(random.randbytes(size // 500))


class Rates:
    """Lines of the table of rates, each beside the yardsticks."""

    def __init__(self, size: int, copy: float, hashing: float) -> None:
        self._size = size
        self._copy, self._hashing = copy, hashing
        print(f"{'':<22}{'MB/s':>8}{'of hash_files':>15}{'of the client':>15}{'of copy + fsync':>17}")
        self.line("copy + fsync", [copy])
        self.line("hash_files", [hashing])

    def line(self, name: str, measured: list[float]) -> None:
        """A line from the seconds that something took, and the processor seconds of the client if there was one."""
        seconds = measured[0]
        client = f"{measured[1] / (os.cpu_count() or 1) / seconds:.0%}" if len(measured) > 1 else ""
        rate, hashing, copy = self._size / seconds / 1e6, self._hashing / seconds, self._copy / seconds
        print(f"{name:<22}{rate:>8.0f}{hashing:>15.0%}{client:>15}{copy:>17.0%}", flush=True)


def measure_transfers(scratch: Path, size: int, parts: set[str]) -> None:
    source = scratch / "source"
    source.mkdir()
    paths = [source / f"model-{number}.safetensors" for number in range(SHARDS)]
    for path in paths:
        write_random(path, size // SHARDS)
    names = list(map(str, paths))
    copy = timed(lambda: copy_durably(paths, scratch / "copy"))
    command = [sys.executable, "-c", HASH, *names]
    hashing = statistics.median(
        float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout) for _ in range(3)
    )
    rates = Rates(size, copy, hashing)
    with serving(scratch / "hub-xet") as server:
        home = scratch / "home-xet"
        if "upload" in parts or "changed" in parts:
            rates.line("xet upload", server.client(home, UPLOAD, REPO, *names))
        if "upload" in parts:
            rates.line("xet download", server.client(scratch / "h1", DOWNLOAD, REPO, str(scratch / "d1")))
            http = {"HF_HUB_DISABLE_XET": "1"}
            rates.line("xet file over http", server.client(scratch / "h2", DOWNLOAD, REPO, str(scratch / "d2"), **http))
        if "changed" in parts:
            before = server.stored()
            change_one_percent(paths)
            rates.line("xet upload, 1 % new", server.client(home, UPLOAD, REPO, *names))
            new = (server.stored() - before) / size
            print(f"{'':<22}stored {new:.1%} new data for 1 % changed bytes (wanted: under 5 %)")
        print(f"{'':<22}the server's memory peaked at {server.peak_mib():.0f} MiB")
    if "upload" in parts:
        with serving(scratch / "hub-lfs") as server:
            http = {"HF_HUB_DISABLE_XET": "1"}
            rates.line("lfs upload", server.client(scratch / "h3", UPLOAD, REPO, *names, **http))
            rates.line("lfs download", server.client(scratch / "h4", DOWNLOAD, REPO, str(scratch / "d3"), **http))
            print(f"{'':<22}the server's memory peaked at {server.peak_mib():.0f} MiB")


def measure_metadata(scratch: Path, rounds: int = 20, parallel: int = 50) -> None:
    """Latency of each of 50 requests sent at the same moment over open connections."""
    with serving(scratch / "hub-metadata") as server:
        small = scratch / "small"
        small.mkdir()
        for number in range(20):
            (small / f"{number}.txt").write_text(str(number))
        server.client(scratch / "h5", UPLOAD, REPO, *map(str, small.iterdir()))
        host, _, port = server.endpoint.removeprefix("http://").partition(":")
        addresses = [f"/api/models/{REPO}", f"/api/models/{REPO}/tree/main", f"/api/models/{REPO}/refs"]
        before = server.cpu_seconds()
        latencies = asyncio.run(_ask_together(host, int(port), addresses, rounds, parallel))
        each = (server.cpu_seconds() - before) / len(latencies) * 1000
    cuts = statistics.quantiles(latencies, n=100)
    print(
        f"{parallel} metadata requests at once: p50 {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms (wanted: under 50 ms); "
        f"{each:.2f} ms of processor time each",
        flush=True,
    )


async def _ask_together(host: str, port: int, addresses: list[str], rounds: int, parallel: int) -> list[float]:
    connections = [await asyncio.open_connection(host, port) for _ in range(parallel)]
    latencies: list[float] = []

    async def ask(number: int) -> None:
        reader, writer = connections[number]
        head = f"GET {addresses[number % len(addresses)]} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        started = time.perf_counter()
        writer.write(f"{head}Authorization: Bearer {TOKEN}\r\n\r\n".encode())
        answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert answer.startswith("http/1.1 200"), answer
        await reader.readexactly(int(answer.partition("content-length:")[2].partition("\r\n")[0]))
        latencies.append((time.perf_counter() - started) * 1000)

    for _ in range(rounds):
        await asyncio.gather(*(ask(number) for number in range(parallel)))
    for _, writer in connections:
        writer.close()
    return latencies[parallel:]  # the first round fills the hub's caches


def measure_many_files(scratch: Path) -> None:
    with serving(scratch / "hub-files") as server:
        commit, tree, info = server.client(scratch / "h6", MANY, REPO)
        peak = server.peak_mib()
    print(
        f"10,000 files: committed in {commit:.1f} s (wanted: under 20 s), listed in {tree:.1f} s (under 2 s), "
        f"info in {info:.1f} s; memory peaked at {peak:.0f} MiB",
        flush=True,
    )


def measure_memory(scratch: Path, size: int = 5 << 30) -> None:
    """One file of 5 GiB: half of it random, the rest a hole, which hashes and travels like any other bytes."""
    path = scratch / "five.safetensors"
    write_random(path, size // 2)
    os.truncate(path, size)
    for name, env in (("xet", {}), ("lfs", {"HF_HUB_DISABLE_XET": "1"})):
        with serving(scratch / f"hub-memory-{name}") as server:
            seconds = server.client(scratch / f"home-{name}", UPLOAD, REPO, str(path), **env)[0]
            peak = server.peak_mib()
        print(
            f"5 GiB through {name}: {seconds:.0f} s, memory peaked at {peak:.0f} MiB (wanted: under 200 MiB)",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gib", type=float, default=2.0, help="size of the four shards together")
    parser.add_argument("--only", default=",".join(PARTS), help="parts to run")
    parser.add_argument("--scratch", type=Path, help="where to work: 4 times the size is needed, and 15 GiB for memory")
    options = parser.parse_args()
    parts = set(options.only.split(","))
    if parts - set(PARTS):
        parser.error(f"the parts are {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory(prefix="hubpub-bench-", dir=options.scratch) as folder:
        scratch = Path(folder)
        print(json.dumps({"gib": options.gib, "cores": os.cpu_count(), "python": sys.version.split()[0]}))
        if parts & {"upload", "changed"}:
            measure_transfers(scratch, int(options.gib * (1 << 30)) // (4 * MIB) * 4 * MIB, parts)
        if "metadata" in parts:
            measure_metadata(scratch)
        if "files" in parts:
            measure_many_files(scratch)
        if "memory" in parts:
            measure_memory(scratch)


if __name__ == "__main__":
    main()
