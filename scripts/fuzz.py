"""Fuzz the readers of a model folder with atheris: no exception, no input that takes 2 seconds or 500 MB.

    pip install atheris
    python scripts/fuzz.py safetensors --seconds 600

What it finds worth keeping goes into fuzz-corpus/<target>/ (not committed); an input that breaks a reader is written to
fuzz-corpus/<target>/crash-*, and belongs into the tests as a case of its own.
"""

from __future__ import annotations

import argparse
import io
import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))


def safetensors(data: bytes) -> None:
    from hubpub.model.safetensors import parse_header

    parse_header(io.BytesIO(data), len(data))


def json_file(data: bytes) -> None:
    from hubpub.model.jsonfile import parse_json

    parse_json(data)


def python_source(data: bytes) -> None:
    from hubpub.model.python_source import read_python

    read_python(data)


def pickles(data: bytes) -> None:
    from hubpub.model.pickles import scan

    scan(io.BytesIO(data), ".bin")


def secrets(data: bytes) -> None:
    from hubpub.model.secrets import find_secrets

    list(find_secrets(data.decode("utf-8", "replace")))


def _header(document: object, data: bytes = b"") -> bytes:
    raw = json.dumps(document).encode()
    return struct.pack("<Q", len(raw)) + raw + data


_TENSOR = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
TARGETS: dict[str, tuple[Callable[[bytes], None], list[bytes]]] = {
    "safetensors": (
        safetensors,
        [
            _header({"a": _TENSOR, "__metadata__": {"format": "pt"}}, bytes(16)),
            _header({}),
            _header({"a": {**_TENSOR, "dtype": "F4", "shape": [32]}}, bytes(16)),
        ],
    ),
    "json": (json_file, [b'{"a": [1, 2.5e3, null, true, "\\u00e9"], "a": NaN}', b"\xef\xbb\xbf[]", b"[" * 600]),
    "python": (
        python_source,
        [b"import os as o\nclass A(B):\n    x = o.system('id')\nif __name__ == '__main__': A()\n"],
    ),
    "pickles": (pickles, [b"\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R.", b"cos\nsystem\n(S'x'\ntR."]),
    "secrets": (secrets, [b"aws_secret_access_key = x\nhf_abc https://a:b@c.d wandb_api_key: 0"]),
}


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
