"""What --diff shows is exactly what --fix does: git applies it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hubpub.cli.main import main

HEAD = "---\nlicense: MIT  # ours\n---\n\n# x\n\n"


def lint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit):
        main(["lint", "README.md", "--config", "none.toml", *arguments])
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "##Usage of it\n\nSee [x](http://arxiv.org/abs/1).\n",
        (HEAD + "See [x](http://arxiv.org/abs/1).\n").replace("\n", "\r\n"),
        HEAD + "See [x](http://arxiv.org/abs/1)",
        # what Python takes for the end of a line, and nobody else
        HEAD + "a\x0cb\u2028c\x85d\x1e See [x](http://arxiv.org/abs/1).\x0c\n\nlast\x0b",
        "\ufeff" + HEAD + "[x](http://arxiv.org/abs/1)\r\n",
    ],
)
def test_the_diff_is_the_fix(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("none.toml").write_text("")
    card = Path("README.md")
    card.write_bytes(text.encode())
    diff = lint(capsys, "--diff")
    assert card.read_bytes() == text.encode()
    Path("patch").write_bytes(diff.encode())
    lint(capsys, "--fix")
    fixed = card.read_bytes()
    assert fixed != text.encode()
    card.write_bytes(text.encode())
    subprocess.run(["git", "apply", "--whitespace=nowarn", "patch"], check=True, capture_output=True)
    assert card.read_bytes() == fixed
