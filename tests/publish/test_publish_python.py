"""The verbs in Python say and do what the command line does."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import click
import pytest
from support.running_hub import BOB, TestHub

import hubpub
from hubpub.cli.plan import plan
from hubpub.cli.push import push
from hubpub.cli.rollback import rollback
from hubpub.cli.verify import verify
from hubpub.core.errors import AuthError, ConflictError, UsageError

# Words, and what Python says in another way.
WORDS = {"output_format", "quiet", "help"}
OTHERWISE = {
    "org": "repo_id",
    "name": "repo_id",
    "repo": "repo_id",
    "card_from": "card",
    "pr": "pull_request",
    "settings_webhooks": "config",
    "write": "render",
    "dry_run": "plan",
    "yes": "plan_rollback",
}


@pytest.mark.parametrize(
    ("verb", "command"), [("push", push), ("plan", plan), ("verify", verify), ("rollback", rollback)]
)
def test_every_option_has_its_argument(verb: str, command: click.Command) -> None:
    has: set[str] = set(hubpub.__all__)
    has |= set(inspect.signature(getattr(hubpub, verb)).parameters)
    if verb == "push":
        has.add("plan_file")  # push_plan
    asked = {str(parameter.name) for parameter in command.params} - WORDS
    missing = {name for name in asked if OTHERWISE.get(name, name) not in has}
    assert not missing


def test_a_release_from_python(hub: TestHub, plain_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_nobody")
    token = tmp_path / "token"
    token.write_text("hf_alice")
    where: dict[str, Any] = {"hub": hub.endpoint, "token_file": token}
    (plain_copy / "private.txt").write_text("stays here")
    (plain_copy / "run.log").write_text("goes")
    steps: list[str] = []
    what: dict[str, Any] = {
        "exclude": ["private.*"], "include": ["run.log"], "message": "The first one", "gated": "auto", "depth": "quick",
    }  # fmt: skip
    planned = hubpub.plan(plain_copy, "acme/model", tag="v1", **what, **where)
    assert {file.path for file in planned.add} >= {"run.log", "config.json"}
    receipt = tmp_path / "receipt.json"
    changelog = tmp_path / "CHANGES.md"
    done = hubpub.push(
        plain_copy, "acme/model", tag="v1", receipt=receipt, changelog=changelog, notify=steps.append, **what, **where
    )
    info = hub.api().model_info("acme/model")
    assert (info.sha, info.gated, info.private) == (done.commit, "auto", False)
    assert hub.api().list_repo_commits("acme/model")[0].title == "The first one"
    assert "private.txt" not in hub.api().list_repo_files("acme/model")
    assert json.loads(receipt.read_text())["commit"] == done.commit
    assert "## v1" in changelog.read_text()
    assert any(step.startswith(f"alice may publish to acme/model on {hub.endpoint}") for step in steps)

    assert hubpub.verify("acme/model", plain_copy, exclude=["private.*"], include=["run.log"], **where).ok
    assert not hubpub.verify("acme/model", plain_copy, **where).ok
    assert hubpub.verify("acme/model", receipt=receipt, revision="v1", **where).ok

    (plain_copy / "notes.txt").write_text("more")
    saved = tmp_path / "plan.json"
    hubpub.plan(plain_copy, "acme/model", tag="v2", out=saved, **what, **where)
    (plain_copy / "notes.txt").write_text("MORE")
    with pytest.raises(ConflictError, match=r"notes\.txt has another content"):
        hubpub.push_plan(saved, **where)
    (plain_copy / "notes.txt").write_text("more")
    moved = plain_copy.rename(tmp_path / "moved")
    assert hubpub.push_plan(saved, path=moved, **where).tag == "v2"

    assert [file.path for file in hubpub.plan_rollback("acme/model", "v1", **where).delete] == ["notes.txt"]
    assert hubpub.rollback("acme/model", "v1", notify=steps.append, **where).published
    assert steps[-1].endswith("path, size and hash are those of v1")

    token.write_text(BOB)
    with pytest.raises(AuthError, match="bob has the role read in acme"):
        hubpub.push(moved, "acme/model", **what | {"gated": None}, **where)
    proposed = hubpub.push(moved, "acme/model", pull_request=True, **what | {"gated": None}, **where)
    assert proposed.proposal is not None
    assert proposed.proposal.opened


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"gated": "yes"}, "gated is 'yes'"),
        ({"card": "mine"}, "card is 'mine'"),
        ({"fail_on": "never"}, "fail_on is 'never'"),
        ({"depth": "deepest"}, "depth is 'deepest'"),
        ({"changelog": "/tmp/x/y.md"}, "--changelog is for a release with a name"),
        ({"webhooks": ["http://hub.example.org"]}, "webhook 1 is not an https address"),
        ({"token_file": "/tmp/x", "keyless": True}, "name two tokens"),
        ({"config": "/nowhere/hubpub.toml"}, "/nowhere/hubpub.toml"),
    ],
)
def test_what_cannot_be_meant(hub: TestHub, plain_copy: Path, given: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        hubpub.push(plain_copy, "acme/model", **{"hub": hub.endpoint} | given)
    assert says in refused.value.message


def test_a_settings_file_counts_where_it_is_named(
    hub: TestHub, plain_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_alice")
    monkeypatch.chdir(tmp_path)
    settings = tmp_path / "hubpub.toml"
    settings.write_text('private = true\nexclude = ["private.*"]\n[card]\nlicense = "mit"\n')
    (plain_copy / "private.txt").write_text("stays here")
    assert {"private.txt"} <= {file.path for file in hubpub.plan(plain_copy, "acme/model", hub=hub.endpoint).add}
    planned = hubpub.plan(plain_copy, "acme/model", hub=hub.endpoint, config=settings)
    assert planned.private
    assert "private.txt" not in {file.path for file in planned.add}
    assert b"license: mit" in planned.card.content
