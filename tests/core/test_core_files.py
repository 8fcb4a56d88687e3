"""Files of the user's are written in one step, with the modes that the user asked for."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubpub.core.errors import UsageError
from hubpub.core.files import replace_file


@pytest.fixture(params=[0o022, 0o077, 0o002], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_as_open_as_the_umask_says(tmp_path: Path, umask: int) -> None:
    replace_file(tmp_path / "new", b"1")
    assert mode(tmp_path / "new") == 0o666 & ~umask


@pytest.mark.parametrize("given", [0o600, 0o644, 0o666])
def test_a_file_keeps_its_mode(tmp_path: Path, umask: int, given: int) -> None:
    path = tmp_path / "old"
    path.write_bytes(b"1")
    path.chmod(given)
    replace_file(path, b"2")
    assert (path.read_bytes(), mode(path)) == (b"2", given)
    assert [*tmp_path.iterdir()] == [path]


def test_a_device_stays_what_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "device")
    with pytest.raises(UsageError, match="is not a regular file"):
        replace_file(tmp_path / "device", b"1")
    assert stat.S_ISFIFO((tmp_path / "device").stat().st_mode)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_takes_no_file_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(UsageError, match=r"no file can be made in"):
            replace_file(tmp_path / "new", b"1")
    finally:
        tmp_path.chmod(0o755)
