"""`hubpub --help` beside `hf --help`, alternating in one run: median wall times and their ratio.

    python benchmarks/startup.py [--runs 15]

Run it with the Python of an environment that has hubpub installed (huggingface_hub brings the `hf` command).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

PEER = ("hf", "--help")
OURS = [("hubpub", "--help"), ("hubpub", "--version"), ("hubpub", "push", "--help")]


def seconds(command: tuple[str, ...]) -> float:
    started = time.perf_counter()
    subprocess.run(
        [str(Path(sys.executable).parent / command[0]), *command[1:]],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HF_HUB_DISABLE_TELEMETRY": "1"},
    )
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    commands = [PEER, *OURS]
    times: dict[tuple[str, ...], list[float]] = {command: [] for command in commands}
    for command in commands:
        seconds(command)  # warms the page cache and the bytecode
    for _ in range(runs):
        for command in commands:
            times[command].append(seconds(command))
    peer = statistics.median(times[PEER])
    print(f"{'command':<22} {'median ms':>9} {'of hf --help':>13}   ({runs} alternating runs)")
    for command in commands:
        median = statistics.median(times[command])
        print(f"{' '.join(command):<22} {median * 1000:>9.0f} {median / peer:>13.2f}")


if __name__ == "__main__":
    main()
