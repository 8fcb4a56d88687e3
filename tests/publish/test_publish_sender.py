"""What is under way at once while a file is given to hf_xet."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from hubpub.publish import sender

MIB = 1 << 20


class Hub:
    """As far as the sender sees it: takes what it was given in packs, slowly, or not at all."""

    def __init__(self, pack: int, *, stalls: bool = False) -> None:
        self.given, self.taken, self.most, self._asked = 0, 0, 0, 0
        self.digest = hashlib.sha256()
        self._pack, self._stalls = pack, stalls

    def write(self, block: bytes) -> None:
        self.digest.update(block)
        self.given += len(block)
        self.most = max(self.most, self.given - self.taken)

    def progress(self) -> SimpleNamespace:
        self._asked += 1
        if not self._stalls and self._asked % 7 == 0:
            self.taken += self._pack
        return SimpleNamespace(total_bytes_completed=self.taken, total_transfer_bytes_completed=self.taken)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "_PACK", 2 * MIB)
    monkeypatch.setattr(sender, "_UNDER_WAY", 4 * MIB)
    monkeypatch.setattr(sender, "_PAUSE", 0)


@pytest.mark.parametrize("stalls", [False, True])
def test_no_more_is_given_than_the_hub_takes_unless_nothing_moves(tmp_path: Path, stalls: bool) -> None:
    content = bytes(range(256)) * (12 * MIB // 256) + b"end"
    source = tmp_path / "model.safetensors"
    source.write_bytes(content)
    hub = Hub(2 * MIB, stalls=stalls)
    pace = sender._Pace(hub)
    with source.open("rb") as file:
        while block := file.read(MIB):
            hub.write(block)
            pace.wait(len(block))
    assert hub.digest.hexdigest() == hashlib.sha256(content).hexdigest()
    assert hub.most == (len(content) if stalls else 5 * MIB)
