"""`hubpub lint` on real cards beside other tools, and how its time grows with the size of a card.

    python benchmarks/lint.py CARDS [--runs 5] [--growth] [--npm DIR]

CARDS is a folder of model cards (*.md), such as those of the models that you use; nothing of the project depends on
which. Beside hubpub, by turns in the same run: markdownlint-cli2, which knows Markdown and nothing of model cards
(installed by npm into DIR, once; left out where there is no npm), and a script that only parses the metadata of each
card with `ModelCard` of huggingface_hub. Figures are the least of the runs, and ratios to `hubpub lint`.

--growth measures all rules on the cards of tests/support/nasty_cards.py at 10 kB, 100 kB and 1 MB, in processor time;
hubpub reads the first 0.5 MB and 8,000 lines of a card.
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
from typing import NamedTuple

REPO = Path(__file__).parents[1]
sys.path[:0] = [str(REPO), str(REPO / "tests")]

from support.nasty_cards import NASTY  # noqa: E402

MARKDOWNLINT = "markdownlint-cli2"
SIZES = (10_000, 100_000, 1_000_000)
PARSE_ONLY = """
import sys
from huggingface_hub import ModelCard
for path in sys.argv[1:]:
    try:
        ModelCard.load(path)
    except Exception as error:
        print(path, error)
"""


class Taken(NamedTuple):
    """Seconds on the clock, and of the processor."""

    wall: float
    processor: float


def environment() -> dict[str, str]:
    """Bytecode is kept, as it is for users; nothing asks the network."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "NO_COLOR": "1"}


def take(command: list[str], cwd: Path) -> Taken:
    """Run a command; what it finds is no matter here."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command, cwd=cwd, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
    )
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command[0]} ended with {done.returncode}: {done.stderr[-500:]}")
    return Taken(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def install_markdownlint(home: Path) -> Path | str:
    """The command, installed once below `home`; why there is none."""
    command = home / "node_modules" / ".bin" / MARKDOWNLINT
    if command.exists():
        return command
    npm = shutil.which("npm")
    if npm is None:
        return "there is no npm"
    home.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [npm, "install", "--prefix", str(home), "--no-audit", "--no-fund", MARKDOWNLINT],
        capture_output=True,
        text=True,
        check=False,
    )
    return command if done.returncode == 0 else (done.stderr.strip().splitlines() or ["npm failed"])[-1]


def compare(cards: list[Path], runs: int, npm_home: Path) -> None:
    """Wall and processor time of each tool on one card and on all, by turns."""
    markdownlint = install_markdownlint(npm_home)
    tools = {
        "hubpub lint": [sys.executable, "-m", "hubpub", "lint"],
        "ModelCard.load": [sys.executable, "-c", PARSE_ONLY],
    }
    if isinstance(markdownlint, Path):
        tools[MARKDOWNLINT] = [str(markdownlint), "--no-globs"]
    else:
        print(f"without {MARKDOWNLINT}: {markdownlint}")
    median = sorted(cards, key=lambda card: card.stat().st_size)[len(cards) // 2]
    with tempfile.TemporaryDirectory(prefix="hubpub-lint-") as name:
        work = Path(name)
        for card in cards:
            shutil.copy(card, work / card.name)
        for title, files in ((f"one card, {median.stat().st_size:,} bytes", [median]), (f"{len(cards)} cards", cards)):
            names = [file.name for file in files]
            for command in tools.values():
                take([*command, *names], work)  # warms the page cache and the bytecode
            times: dict[str, list[Taken]] = {tool: [] for tool in tools}
            for _ in range(runs):
                for tool, command in tools.items():
                    times[tool].append(take([*command, *names], work))
            print_times(title, times, runs)


def print_times(title: str, times: dict[str, list[Taken]], runs: int) -> None:
    """The least wall and processor time of each tool, and how many times hubpub's that is."""
    print(f"\n{title:<28}{'wall s':>9}{'x':>7}{'CPU s':>9}{'x':>7}   (least of {runs} runs by turns)")
    best = {tool: Taken(*map(min, zip(*taken, strict=True))) for tool, taken in times.items()}
    ours = best["hubpub lint"]
    for tool, taken in best.items():
        print(
            f"{tool:<28}{taken.wall:>9.2f}{taken.wall / ours.wall:>7.2f}"
            f"{taken.processor:>9.2f}{taken.processor / ours.processor:>7.2f}"
        )


def print_growth() -> None:
    """Processor seconds of all rules by size, and how many times longer ten times the text takes."""
    from hubpub.rules.run import lint_card
    from hubpub.rules.selection import Layer, Selection

    every_rule = Selection((Layer(extend=("ALL",)),))

    def seconds(text: str) -> float:
        started = time.process_time()
        lint_card(text.encode(), path="README.md", target="card", selection=every_rule)
        return time.process_time() - started

    print(f"\n{'processor seconds':<28}" + "".join(f"{size // 1000:>8} kB" for size in SIZES) + "   100 kB : 10 kB")
    for name, card in NASTY.items():
        seconds(card(1000))
        times = [min(seconds(card(size)) for _ in range(3 if size < SIZES[-1] else 1)) for size in SIZES]
        print(f"{name:<28}" + "".join(f"{taken:>11.3f}" for taken in times) + f"{times[1] / times[0]:>14.1f}")
        sys.stdout.flush()


def main() -> None:
    """Compare, and measure growth when asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cards", type=Path, help="a folder with model cards, *.md")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--npm", type=Path, default=Path(tempfile.gettempdir()) / "hubpub-markdownlint")
    options = parser.parse_args()
    cards = sorted(options.cards.glob("*.md"))
    if not cards:
        raise SystemExit(f"no *.md in {options.cards}")
    compare(cards, options.runs, options.npm)
    if options.growth:
        print_growth()


if __name__ == "__main__":
    main()
