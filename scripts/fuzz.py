"""Fuzz the readers of a model folder and the card linter with atheris: no exception, nothing beyond 2 s or 500 MB.

    pip install atheris
    python scripts/fuzz.py safetensors --seconds 600

What it finds worth keeping goes into fuzz-corpus/<target>/ (not committed), and a part of it into
tests/model/corpus/<target>/; an input that breaks a reader is written to fuzz-corpus/<target>/crash-*, and belongs
there too.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.fuzz_targets import TARGETS  # noqa: E402


def main() -> None:
    import atheris

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=int, default=600)
    options = parser.parse_args()
    function, seeds = TARGETS[options.target]
    corpus = ROOT / "fuzz-corpus" / options.target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    with atheris.instrument_imports(include=["hubpub", "json", "pickletools", "picklescan"]):
        function(seeds[0])
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={options.seconds}",
            "-timeout=2",
            "-max_len=4096",
            "-rss_limit_mb=500",
            f"-artifact_prefix={corpus}/",
            "-print_final_stats=1",
            str(corpus),
        ],
        function,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
