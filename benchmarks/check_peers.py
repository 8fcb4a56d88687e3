"""What `hubpub check` names and how long it takes, beside other scanners of model folders.

    python benchmarks/check_peers.py [--venvs DIR] [--peers NAME,NAME] [--runs 3] [--no-large]

The folders are those of tests/support/corpus: sound ones, and one per known defect. A tool names a defect when it says
of its folder anything that it does not say of the sound one: a finding of any severity, an error, a file that it could
not read. What it says of a sound folder at warning or above is a false alarm. Then each tool's time and memory, on a
small folder and on 1.5 GB in three shards, as ratios to `hubpub check`.

Each peer is installed into an environment of its own below DIR, once, by pip; what cannot be installed is listed.
hubpub runs in this environment, which needs torch and transformers.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

REPO = Path(__file__).parents[1]
sys.path[:0] = [str(REPO), str(REPO / "tests")]

import support.client_env  # noqa: E402, F401 -- before anything imports huggingface_hub
from check_scale import CHILD  # noqa: E402
from support.corpus import CONTROLS, DEFECTS  # noqa: E402
from support.corpus.controls import CHAT  # noqa: E402
from support.corpus.editing import edit_json  # noqa: E402
from support.corpus.reports import Corpus  # noqa: E402
from support.weights import header_of, llama_shards, write_raw  # noqa: E402

from hubpub.core.errors import UsageError  # noqa: E402
from hubpub.core.rule import Depth  # noqa: E402

SECONDS = 60
"""That a tool may take on a small folder; a FIFO keeps some of them for ever."""

LAYERS, HIDDEN, WIDE, VOCABULARY = 12, 2048, 5632, 32000
"""Of the large model: a Llama of 748 million parameters."""

CLASSES = {
    "a": "container",
    "b": "values",
    "c": "index",
    "d": "architecture",
    "e": "config",
    "f": "tokenizer",
    "g": "pickle",
    "h": "chat template",
    "i": "leftover",
    "j": "secret",
    "k": "path",
    "l": "duplicate",
    "m": "adapter",
    "n": "GGUF",
    "o": "card",
}


class Said(NamedTuple):
    """One thing that a tool says of a folder: whether it is an alarm, and what, free of what differs by chance."""

    alarm: bool
    what: str


@dataclass(frozen=True)
class Peer:
    """Another tool.

    Attributes:
        package: its name on PyPI.
        command: of its environment, and its arguments; "{}" is the folder, or a file of it with the suffix `only`.
        said: what its standard output and error say.
        only: the suffix of the files that it reads, when it does not take a folder.
    """

    package: str
    command: tuple[str, ...]
    said: Callable[[str, str], Iterable[Said]]
    only: str | None = None


TELLING = (
    "rule_id",
    "rule_code",
    "severity",
    "location",
    "file",
    "source",
    "title",
    "message",
    "description",
    "detail",
)
"""The keys of a finding, in the JSON of one tool or the other, that say what it is about."""


def in_json(*lists: str) -> Callable[[str, str], list[Said]]:
    """What is in lists of a JSON document."""

    def said(out: str, _errors: str) -> list[Said]:
        document, _ = json.JSONDecoder(strict=False).raw_decode(out, out.index("{"))
        return [finding(entry) for name in lists for entry in document.get(name) or ()]

    return said


def finding(entry: Any) -> Said:
    """An entry of such a list; it alarms unless its severity is info."""
    if not isinstance(entry, dict):
        return Said(True, str(entry))
    what = " ".join(str(entry[key]) for key in TELLING if entry.get(key))
    return Said(str(entry.get("severity")).lower() != "info", what)


def in_lines(pattern: str) -> Callable[[str, str], list[Said]]:
    """The lines that a pattern is found in."""
    return lambda out, errors: [Said(True, line) for line in (out + errors).splitlines() if re.search(pattern, line)]


PEERS = (
    Peer("picklescan", ("picklescan", "--strict", "-p", "{}"), in_lines("FOUND|ERROR|Traceback")),
    Peer("modelscan", ("modelscan", "scan", "-r", "json", "-p", "{}"), in_json("issues", "errors")),
    Peer(
        "hayward",
        ("hayward", "scan", "--format", "json", "--max-size", "20g", "{}"),
        in_json("findings", "coverage_gaps"),
    ),
    Peer("mlsupplyscan", ("mlscan", "scan", "--format", "json", "{}"), in_json("findings", "errors")),
    Peer("modelaudit", ("modelaudit", "scan", "--format", "json", "{}"), in_json("issues")),
    Peer(
        "c4nary",
        ("c4nary", "scan", "--json", "--bundle", "{}"),
        in_json("findings"),
        only=".gguf",
    ),
)


class Measured(NamedTuple):
    """Seconds of wall time, and megabytes at the peak."""

    seconds: float
    peak: float


@dataclass(frozen=True)
class Score:
    """What a tool did with the corpus.

    Attributes:
        named: the defects that it names.
        hung: the folders that it did not come to an end with.
        alarms: what it says of each control.
        read: how many of the defects it reads at all.
    """

    named: set[str]
    hung: list[str]
    alarms: dict[str, list[str]]
    read: int


def install(peer: Peer, venvs: Path) -> Path | str:
    """The directory of the peer's commands; why there is none."""
    home = venvs / peer.package
    if not (home / "bin" / peer.command[0]).exists():
        shutil.rmtree(home, ignore_errors=True)
        venv.create(home, with_pip=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", peer.package]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["pip failed"])[-1]
    return home / "bin"


def environment(home: Path) -> dict[str, str]:
    """Of every command: nothing is sent to anybody, and nothing is kept from one run to the next."""
    quiet = {"CI": "true", "PROMPTFOO_DISABLE_TELEMETRY": "1", "NO_ANALYTICS": "1", "NO_COLOR": "1", "COLUMNS": "10000"}
    return {**os.environ, **quiet, "HOME": str(home), "XDG_CACHE_HOME": str(home), "HUBPUB_CACHE_DIR": str(home)}


def arguments(peer: Peer, bin_directory: Path, folder: Path) -> list[str] | None:
    """The command for a folder; None when there is nothing in it that the peer reads."""
    files = sorted(folder.glob("*" + peer.only)) if peer.only else [folder]
    if not files:
        return None
    return [str(bin_directory / peer.command[0]), *(part.replace("{}", str(files[0])) for part in peer.command[1:])]


def ask(peer: Peer, bin_directory: Path, folder: Path, home: Path) -> Counter[Said] | str | None:
    """What the peer says of a folder; "hangs" when it does not end; None when it does not read such folders."""
    command = arguments(peer, bin_directory, folder)
    if command is None:
        return None
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=SECONDS,
            env=environment(home),
            cwd=home,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return "hangs"
    try:
        said = peer.said(done.stdout, done.stderr)
    except ValueError:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        said = [Said(True, f"exit code {done.returncode}: {last}")]
    return Counter(Said(alarm, plain(what, folder)) for alarm, what in said)


def plain(what: str, folder: Path) -> str:
    """Without where the folder lies, and without numbers of two and more digits, unless they end the code of a rule."""
    return re.sub(
        r"(?<![A-Z0-9-])\d{2,}|0x[0-9a-f]+", "#", what.replace(str(folder), "").replace(str(folder.parent), "")
    )


def score(peer: Peer, bin_directory: Path, corpus: Corpus, home: Path) -> Score:
    """Ask the peer about every folder."""
    names = [*CONTROLS, *DEFECTS]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda name: ask(peer, bin_directory, corpus.paths[name], home), names)
        answers = dict(zip(names, found, strict=True))
    said = {name: answer if isinstance(answer, Counter) else Counter() for name, answer in answers.items()}
    return Score(
        named={name for name in DEFECTS if said[name] - said[DEFECTS[name].control]},
        hung=[name for name in names if answers[name] == "hangs"],
        alarms={name: [what for alarm, what in said[name] if alarm] for name in CONTROLS},
        read=sum(answers[name] is not None for name in DEFECTS),
    )


def hubpub_score(corpus: Corpus, depth: Depth) -> Score:
    """The same for hubpub: what check and lint say."""
    alarms = {name: [f.message for f in corpus.report(name, depth) if f.severity.value != "info"] for name in CONTROLS}
    return Score({name for name in DEFECTS if named_by_hubpub(corpus, name, depth)}, [], alarms, len(DEFECTS))


def named_by_hubpub(corpus: Corpus, name: str, depth: Depth) -> bool:
    """Whether the report on a defect has more than the one on its control, or there is no card to report on."""
    try:
        return bool(corpus.added(name, depth))
    except UsageError:
        return True


def save_large(folder: Path, control: Path) -> None:
    """A chat model of 1.5 GB, in three shards of F16."""
    shutil.copytree(control, folder)
    (folder / "model.safetensors").unlink()
    sizes = {"num_hidden_layers": LAYERS, "hidden_size": HIDDEN, "intermediate_size": WIDE, "vocab_size": VOCABULARY}
    heads = {"num_attention_heads": 16, "num_key_value_heads": 16, "head_dim": HIDDEN // 16}
    edit_json(folder, "config.json", **sizes, **heads, dtype="float16")
    block = np.random.default_rng(0).normal(0, 0.02, 1 << 22).astype("<f2").tobytes()
    weight_map, total = {}, 0
    for number, shard in enumerate(llama_shards(LAYERS, HIDDEN, WIDE, VOCABULARY, 3), 1):
        header, size = header_of({name: ("F16", shape) for name, (_, shape) in shard.items()})
        path = folder / f"model-{number:05d}-of-00003.safetensors"
        write_raw(path, header, b"")
        with path.open("ab") as file:
            for start in range(0, size, len(block)):
                file.write(block[: size - start])
        weight_map |= dict.fromkeys(shard, path.name)
        total += size
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def measure(command: list[str], runs: int) -> Measured:
    """Wall time, median of the runs after a first one that is not counted, and the largest resident set."""
    seconds, peaks = [], []
    for run in range(runs + 1):
        with tempfile.TemporaryDirectory() as home:
            child = [sys.executable, "-c", CHILD, *command]
            done = subprocess.run(
                child, capture_output=True, text=True, check=True, env=environment(Path(home)), cwd=REPO
            )
        result = json.loads(done.stdout)
        if run:
            seconds.append(result["seconds"])
            peaks.append(result["peak_kb"] / 1000)
    return Measured(statistics.median(seconds), max(peaks))


def print_scores(scores: Mapping[str, Score]) -> None:
    """Two tables: how many each named, by class, and what it said of the sound folders."""
    totals = Counter(name[0] for name in DEFECTS)
    print(f"{'defects named, of':18} {'all':>4}" + "".join(f"{title[:9]:>10}" for title in CLASSES.values()))
    print(f"{'':18} {len(DEFECTS):>4}" + "".join(f"{totals[letter]:>10}" for letter in CLASSES))
    for tool, score in scores.items():
        counts = Counter(name[0] for name in score.named)
        row = "".join(f"{counts[letter] or '·':>10}" for letter in CLASSES)
        notes = [f"reads {score.read} of the folders"] * (score.read < len(DEFECTS))
        notes += [f"hangs on {' '.join(score.hung)}"] * bool(score.hung)
        print(f"{tool:18} {len(score.named):>4}{row}  {', '.join(notes)}".rstrip())
    peers = set().union(*(score.named for tool, score in scores.items() if not tool.startswith("hubpub")))
    print(f"{'all peers':18} {len(peers):>4}")
    print(f"named by none of the peers: {' '.join(sorted(set(DEFECTS) - peers))}")
    for tool, score in scores.items():
        missed = sorted(set(DEFECTS) - score.named)
        if tool.startswith("hubpub"):
            print(f"not named by {tool}: {' '.join(missed)}")
    print("\nalarms on sound folders (warning or above)")
    for tool, score in scores.items():
        count = sum(map(len, score.alarms.values()))
        print(f"{tool:18} {count:>4} on {sum(map(bool, score.alarms.values()))} of {len(CONTROLS)} folders")
        for name, alarms in score.alarms.items():
            for alarm in alarms[:2]:
                print(f"{'':24}{name}: {alarm[:150]}")


def print_times(times: Mapping[str, list[Measured]], folders: list[str]) -> None:
    """Seconds, memory, and how many times hubpub's seconds that is."""
    print("\n" + f"{'':18}" + "".join(f"{folder:>28}" for folder in folders))
    print(f"{'':18}" + f"{'s':>10}{'x':>8}{'peak MB':>10}" * len(folders))
    for tool, measured in times.items():
        row = "".join(
            f"{m.seconds:>10.2f}{m.seconds / base.seconds:>8.1f}{m.peak:>10.0f}"
            for m, base in zip(measured, times["hubpub"], strict=True)
        )
        print(f"{tool:18}{row}")
    print("x: as a multiple of `hubpub check`")


def main() -> None:
    """Install, ask, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venvs", type=Path, default=Path(tempfile.gettempdir()) / "hubpub-peers")
    parser.add_argument("--peers", default=",".join(peer.package for peer in PEERS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--no-large", action="store_true", help="leave out the folder of 1.5 GB")
    options = parser.parse_args()
    options.venvs.mkdir(parents=True, exist_ok=True)

    installed: dict[Peer, Path] = {}
    for peer in PEERS:
        if peer.package in options.peers.split(","):
            found = install(peer, options.venvs)
            if isinstance(found, Path):
                installed[peer] = found
            else:
                print(f"skipped {peer.package}: {found}")

    with tempfile.TemporaryDirectory(prefix="hubpub-peers-") as name:
        temporary = Path(name)
        corpus = Corpus(temporary)
        scores = {f"hubpub {depth.value}": hubpub_score(corpus, depth) for depth in (Depth.QUICK, Depth.DEEP)}
        home = temporary / "home"
        home.mkdir()
        scores |= {peer.package: score(peer, commands, corpus, home) for peer, commands in installed.items()}
        print_scores(scores)
        sys.stdout.flush()

        folders = {"0.2 MB": corpus.paths[CHAT]}
        if not options.no_large:
            folders["1.5 GB"] = temporary / "large"
            save_large(folders["1.5 GB"], corpus.paths[CHAT])
        check = [sys.executable, "-m", "hubpub", "check"]
        tools: dict[str, Callable[[Path], list[str] | None]] = {
            "hubpub": lambda folder: [*check, str(folder)],
            "hubpub --deep": lambda folder: [*check, "--deep", str(folder)],
            **{
                peer.package: partial(arguments, peer, commands)
                for peer, commands in installed.items()
                if not peer.only
            },
        }
        times = {
            tool: [measure(command, options.runs) for folder in folders.values() if (command := of(folder))]
            for tool, of in tools.items()
        }
        print_times(times, list(folders))


if __name__ == "__main__":
    main()
