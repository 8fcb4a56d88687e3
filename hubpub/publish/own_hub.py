"""A hub that this process runs itself: it is reached directly, whatever proxy the environment names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_ADDRESS = "127.0.0.1"
# Python reads the first, hf_xet the second.
_NAMES = ("no_proxy", "NO_PROXY")


@contextmanager
def past_the_proxy() -> Iterator[None]:
    """Within the block, no client that is made here or in a child process looks for this machine behind a proxy."""
    before = {name: os.environ.get(name) for name in _NAMES}
    known = next(filter(None, before.values()), None)
    os.environ.update(dict.fromkeys(_NAMES, f"{known},{_ADDRESS}" if known else _ADDRESS))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
