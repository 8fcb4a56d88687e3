"""`hubpub card --facts` and `--template`, as they are called."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from support.profile_folders import PROFILES, write_run
from support.tokenizer_kinds import save_chat
from support.weights import llama_shards, write_shards

from hubpub.cli.main import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code, captured.out, captured.err


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    PROFILES["classifier"](tmp_path / "m")
    write_run(tmp_path / "m")
    return tmp_path / "m"


def test_facts_are_listed_with_their_places(capsys: pytest.CaptureFixture[str], trained: Path) -> None:
    code, out, _ = run(capsys, "card", trained, "--facts")
    assert code == 0
    assert "hidden_size = 32  (config.json: hidden_size)\n" in out
    assert "run.settings.seed = 4242  (training_args.json: seed)\n" in out
    assert "run.emissions.kilograms = 0.0123  (emissions.csv:2: emissions)\n" in out
    assert not (trained / "README.md").exists()


def test_facts_as_json(capsys: pytest.CaptureFixture[str], trained: Path) -> None:
    code, out, _ = run(capsys, "card", trained, "--facts", "--json")
    document = json.loads(out)
    assert (code, document["schema"]) == (0, "hubpub.facts/1")
    assert {"name": "layers", "value": 1, "source": "config.json: num_hidden_layers"} in document["facts"]
    assert all(set(fact) == {"name", "value", "source"} and fact["source"] for fact in document["facts"])


def test_what_a_file_says_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str], trained: Path) -> None:
    config = json.loads((trained / "config.json").read_text()) | {"model_type": "be\x1b[2Jrt\nname = \u202ex"}
    (trained / "config.json").write_text(json.dumps(config))
    out = run(capsys, "card", trained, "--facts")[1]
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert not [line for line in out.splitlines() if line.startswith("name = x")]


def test_a_template_is_chosen_by_name(capsys: pytest.CaptureFixture[str], trained: Path) -> None:
    printed = run(capsys, "card", trained, "--template", "token-classification")[1]
    assert "Each token gets one of 2 labels:" in printed
    code, _, err = run(capsys, "card", trained, "--template", "nonsense")
    assert code == 2
    assert "choose one of default, llm, adapter" in err


def test_json_is_of_facts_only_when_they_are_asked_for(capsys: pytest.CaptureFixture[str], trained: Path) -> None:
    code, out, _ = run(capsys, "card", trained, "--json")
    assert code == 0
    assert json.loads(out)["schema"] != "hubpub.facts/1"


@pytest.mark.speed
def test_a_card_of_a_hundred_shards_is_quick_and_needs_no_torch(tmp_path: Path) -> None:
    folder = save_chat(tmp_path / "m")
    (folder / "model.safetensors").unlink()
    write_shards(folder, llama_shards(80, 64, 128, 393, 100))
    code = (
        "import sys; from hubpub.cli.main import main\n"
        "try: main(['card', sys.argv[1]])\n"
        "except SystemExit: pass\n"
        "print('LOADED', *sorted({'torch', 'transformers', 'numpy', 'huggingface_hub'} & set(sys.modules)))"
    )
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True, cwd=tmp_path
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    assert done.stdout.splitlines()[-1] == "LOADED"
    assert "| System message | yes |" in done.stdout
    assert min(spent) < 1.5  # of the command and of the process that renders the chat template, on a busy machine
