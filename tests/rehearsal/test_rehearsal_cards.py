"""Cards without a model to load: which blocks are run, by whose leave, and what is said of the others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command import REPO

import hubpub
from hubpub.card.document import Card
from hubpub.rehearsal.blocks import card_blocks
from hubpub.rehearsal.result import Block, Rehearsal, Status
from hubpub.report.rehearsal import render_rehearsal

Copy = Callable[[Path], Path]
RAN, FAILED, NOT = Status.RAN, Status.FAILED, Status.NOT_RUNNABLE
HEAD = "---\nlicense: mit\n---\n\n# A model\n\n"


def fenced(*codes: str, heading: str = "## Use") -> str:
    return f"{heading}\n\n" + "\n".join(f"```python\n{code}\n```\n" for code in codes) + "\n"


@pytest.fixture
def run(plain_model: Path, copy_of: Copy) -> Callable[[str], Rehearsal]:
    model = copy_of(plain_model)

    def rehearse(body: str) -> Rehearsal:
        (model / "README.md").write_text(HEAD + body)
        return hubpub.rehearse(model, "acme/tiny", depth="quick", load=False, run_card_code=True, timeout=60)

    return rehearse


def test_what_code_needs_is_told_apart_from_what_is_wrong(run: Callable[[str], Rehearsal]) -> None:
    """One section, one namespace: later blocks see earlier names, and miss those of blocks that did not run."""
    codes = {
        "import os\nx = 20": (RAN, ""),
        "def f(a):\n    return a / 0\nprint(x + 1)": (RAN, ""),
        "f(1)": (FAILED, "ZeroDivisionError: division by zero"),
        "import no_such_package\ny = 1": (NOT, "needs the package no_such_package, which is not installed"),
        "print(y)": (NOT, "needs `y`, which the block at line "),
        "print(z)": (FAILED, "NameError: name 'z' is not defined"),
        "from json import nothing": (FAILED, "ImportError: cannot import name 'nothing' from 'json'"),
        "os.environ['SOME_API_KEY']": (NOT, "needs the environment variable SOME_API_KEY"),
        "{}['SOME_API_KEY']": (FAILED, "KeyError: 'SOME_API_KEY'"),
        "open('cat.png', 'rb')": (NOT, "needs the file cat.png, which is not here"),
        "input('your name')": (NOT, "asks for input"),
        "import urllib.request\nurllib.request.urlopen('https://example.org/cat.png')": (
            NOT,
            "needs the network (example.org)",
        ),
        "try:\n    urllib.request.urlopen('https://example.org')\nexcept OSError:\n    pass\nint('x')": (
            FAILED,
            "ValueError: invalid literal for int() with base 10: 'x'",
        ),
        "raise RuntimeError('Found no NVIDIA driver on your system.')": (NOT, "needs a GPU"),
        "raise SystemExit(0)": (RAN, ""),
        "raise SystemExit(3)": (FAILED, "SystemExit: 3"),
        "class Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd": (FAILED, "Odd"),
        "raise ValueError('first\\n\\nmiddle\\nlast')": (FAILED, "ValueError: first … last"),
        "!pip install x\nprint(x)": (RAN, ""),
        "for item in items:\n    ...": (FAILED, "NameError: name 'items' is not defined"),
        "model = load(…)": (NOT, "is a sketch"),
        "def broken(:": (FAILED, "SyntaxError: "),
        "from huggingface_hub import hf_hub_download\n\nhf_hub_download('your-username/model', 'x')": (
            NOT,
            "names a placeholder: your-username/model",
        ),
        "print(len(open(hf_hub_download('acme/tiny', 'config.json')).read()) > 9)": (NOT, "needs `hf_hub_download`"),
        "from huggingface_hub import snapshot_download\nprint(os.listdir(snapshot_download('acme/tiny')))": (RAN, ""),
        "snapshot_download('acme/other')": (NOT, "needs acme/other, which the rehearsal hub does not have; give "),
    }
    rehearsal = run(fenced(*codes))
    found = [(block.status, block.reason) for block in rehearsal.blocks]
    for code, (status, reason), (wanted, part) in zip(codes, found, codes.values(), strict=True):
        assert (status, reason[: len(part)]) == (wanted, part), f"{code}: {status} {reason}"
    card = (HEAD + fenced(*codes)).split("\n")
    failed = rehearsal.blocks[2]
    assert (failed.line, failed.failed_line) == (card.index("f(1)") + 1, card.index("    return a / 0") + 1)
    assert [block.output for block in rehearsal.blocks[:2]] == [(), ("21",)]


def test_only_what_hubpub_would_write_runs_unasked(plain_model: Path, copy_of: Copy) -> None:
    """Byte for byte: a comma more is a stranger's code."""
    model = copy_of(plain_model)
    rendered = hubpub.render(model, repo_id="acme/tiny")
    own = [block.code.text for block in card_blocks(Card.parse(rendered), {}) if block.source is not None]
    other = own[0].replace("print(", "print( ")
    (model / "README.md").write_text(HEAD + fenced(own[0].rstrip("\n"), other.rstrip("\n")))
    blocks = card_blocks(Card.parse((model / "README.md").read_text()), dict.fromkeys(own))
    assert [block.by_hubpub for block in blocks] == [True, False]
    # for another repo id, hubpub would write something else
    rehearsal = hubpub.rehearse(model, "acme/another", depth="quick", load=False)
    assert {block.status for block in rehearsal.blocks} == {NOT}


def test_hubpubs_own_code_under_another_name(plain_model: Path, copy_of: Copy) -> None:
    """It was written before anybody knew the repo, or for another one."""
    model = copy_of(plain_model)
    (model / "README.md").write_text(hubpub.render(model))
    strange = fenced("print('by hand')", heading="## More")
    with (model / "README.md").open("a") as file:
        file.write("\n" + strange)

    def outcome(repo_id: str | None = None, **more: bool) -> tuple[str, list[tuple[bool, Status, str]]]:
        rehearsal = hubpub.rehearse(model, repo_id, depth="quick", load=False, **more)
        blocks = [block for block in rehearsal.blocks if block.language == "python"]
        return rehearsal.repo_id, [(block.by_hubpub, block.status, block.reason) for block in blocks]

    foreign = (False, NOT, "was not written by hubpub; --run-card-code runs it")
    assert outcome() == ("rehearsal/plain_model", [(True, RAN, ""), foreign])
    _, [own, person] = outcome("acme/final")
    assert (own[:2], person) == ((True, FAILED), foreign)
    assert own[2].startswith("calls the model plain_model, not acme/final; `hubpub card --write --repo-id acme/final`")
    (model / "README.md").write_text(hubpub.render(model, repo_id="acme/final"))
    assert outcome() == ("acme/final", [(True, RAN, "")])
    other = "loads acme/final, and this is acme/staged; --repo-id acme/final rehearses it as that"
    assert outcome("acme/staged") == ("acme/staged", [(True, NOT, other)])
    (model / "README.md").write_text(hubpub.render(model, repo_id="acme/final").replace("acme/final", "acme/a--b"))
    assert outcome()[0] == "rehearsal/plain_model", "no hub takes such an id"
    (model / "README.md").write_text(hubpub.render(model, repo_id="acme/final"))
    # with leave it is tried
    _, [(by_hubpub, status, reason)] = outcome("acme/staged", run_card_code=True)
    assert (by_hubpub, status) == (True, NOT)
    assert reason.startswith("needs acme/final, which the rehearsal hub does not have")


def test_code_of_the_model_takes_leave_too(plain_model: Path, copy_of: Copy) -> None:
    """hubpub's own snippet would run it, and so would the load checks."""
    model = copy_of(plain_model)
    config = json.loads((model / "config.json").read_text())
    config["auto_map"] = {"AutoModelForSequenceClassification": "modeling_tiny.Tiny"}
    (model / "config.json").write_text(json.dumps(config))
    (model / "modeling_tiny.py").write_text("raise RuntimeError('it ran')\n")
    rehearsal = hubpub.rehearse(model, "acme/tiny", depth="quick")
    [load] = [check for check in rehearsal.checks if check.name == "load"]
    assert load.status is NOT
    assert "runs code of the model (auto_map); --run-card-code allows it" in load.text
    assert {block.status for block in rehearsal.blocks} == {NOT}


def test_a_private_repo_is_read_with_a_token_of_the_throw_away_hub(plain_model: Path, copy_of: Copy) -> None:
    """As its users have one; it may read, and nothing else."""
    from hubpub.core.rule import Depth
    from hubpub.publish.prepare import PushOptions
    from hubpub.rehearsal.run import RehearseOptions, rehearse

    model = copy_of(plain_model)
    hub = "from huggingface_hub import HfApi\n"
    codes = (hub + "print(HfApi().model_info('acme/tiny').private)", hub + "HfApi().create_repo('acme/other')")
    (model / "README.md").write_text(HEAD + fenced(*codes))
    push = PushOptions(path=model, namespace="acme", name="tiny", new_repos_private=True, depth=Depth.QUICK)
    first, second = rehearse(RehearseOptions(push, run_card_code=True, load=False)).blocks
    assert first.output == ("True",), first
    assert (second.status, second.reason) == (NOT, "needs a token that may do more than read")


def test_the_report_shows_what_happened_and_steers_no_terminal() -> None:
    hostile = Block(9, "python", "", "x\x1b[2J", False, FAILED, "E: \x1b]0;x\x07", 10, seconds=1.0)
    shown = render_rehearsal(Rehearsal("acme/m", None, None, (), (hostile,), _none(), None, 2.0))
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "README.md:10: E:" in shown
    assert "0 ran, 1 failed, 0 not runnable" in shown


def _none() -> object:
    from hubpub.rehearsal.result import Isolation

    return Isolation()


def command(model: Path, tmp_path: Path, *arguments: str, **env: str) -> subprocess.Popen[str]:
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "hubpub", "rehearse", str(model), "--depth", "quick", "--no-load", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPO), "TMPDIR": str(scratch), **env},
    )


def test_the_command_in_json_whatever_the_environment_says_of_the_network(
    plain_model: Path, copy_of: Copy, tmp_path: Path
) -> None:
    model = copy_of(plain_model)
    (model / "README.md").write_text(HEAD + fenced("print('hi')", "1 / 0"))
    env = {"HF_HUB_OFFLINE": "1", "HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    done = command(model, tmp_path, "--org", "acme", "--json", "--run-card-code", **env)
    out, err = done.communicate(timeout=120)
    assert done.returncode == 1, err
    document = json.loads(out)
    assert document["schema"] == "hubpub.rehearsal/1"
    assert document["repo_id"] == "acme/plain_model"
    assert document["counts"]["failed"] == 1 + (document["checks"][0]["status"] == "failed")
    assert [block["status"] for block in document["blocks"]] == ["ran", "failed"]
    assert document["blocks"][0]["output"] == ["hi"]
    assert document["blocks"][1]["failed_line"] == document["blocks"][1]["line"]
    assert not err


@pytest.mark.parametrize(
    "arguments",
    [("--with", "acme/base"), ("--with", "acme/base=nowhere"), ("--org", "a b"), ("--no-snippets",)],
    ids=["no path", "no folder", "no org", "nothing left"],
)
def test_wrong_usage_is_told_at_once(arguments: tuple[str, ...], plain_model: Path, tmp_path: Path) -> None:
    done = command(plain_model, tmp_path, *arguments)
    _, err = done.communicate(timeout=60)
    assert done.returncode == 2
    assert err.startswith("error: ")
    assert not list((tmp_path / "scratch").iterdir())


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
def test_when_it_is_interrupted_nothing_stays(plain_model: Path, copy_of: Copy, tmp_path: Path) -> None:
    model = copy_of(plain_model)
    (model / "README.md").write_text(HEAD + fenced("import time\nopen('started', 'w')\ntime.sleep(100)"))
    running = command(model, tmp_path, "--run-card-code")
    scratch = tmp_path / "scratch"
    deadline = time.monotonic() + 60
    while not list(scratch.glob("hubpub-rehearsal-*/child-*/work/started")) and time.monotonic() < deadline:
        time.sleep(0.1)
    running.send_signal(signal.SIGTERM)
    _, err = running.communicate(timeout=30)
    assert running.returncode == 130, err
    assert not list(scratch.iterdir())


def test_code_that_card_yaml_brings_is_not_hubpubs(plain_model: Path, copy_of: Copy) -> None:
    """It stands in the card that hubpub renders, but whoever made the folder wrote it."""
    model = copy_of(plain_model)
    code = "```python\nopen('ran', 'w')\n```"
    (model / "card.yaml").write_text(f"sections:\n  intended-uses: |\n    {code.replace(chr(10), chr(10) + '    ')}\n")
    (model / "README.md").write_text(hubpub.render(model, repo_id="acme/tiny"))
    found = hubpub.rehearse(model, "acme/tiny", depth="quick", load=False, timeout=60)
    told = {block.by_hubpub: block.status for block in found.blocks}
    assert told == {True: Status.RAN, False: NOT}
