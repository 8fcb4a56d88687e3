from __future__ import annotations

from pathlib import Path

import pytest

from hubpub.core.errors import UsageError
from hubpub.publish.identity import Identity
from hubpub.publish.refusals import redact
from hubpub.publish.target import Target, parse_endpoint, parse_repo_id, repo_name


@pytest.mark.parametrize("repo_id", ["acme/model", "a/b", "_x/y_", "Acme-1/m.v2", "a" * 96 + "/m"])
def test_repo_ids_that_the_hub_accepts(repo_id: str) -> None:
    assert "/".join(parse_repo_id(repo_id)) == repo_id


@pytest.mark.parametrize(
    "repo_id",
    [
        "model",
        "a/b/c",
        "acme/",
        "/model",
        "acme/-x",
        "acme/x.",
        "acme/a--b",
        "acme/a..b",
        "acme/x.git",
        "acme/a b",
        "acme/é",
        "a" * 97 + "/m",
        "../etc",
        "acme/m\n",
    ],
)
def test_repo_ids_that_it_does_not(repo_id: str) -> None:
    with pytest.raises(UsageError, match="is not a repo id"):
        parse_repo_id(repo_id)


def test_the_repo_is_named_after_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "my-model"
    folder.mkdir()
    assert repo_name(folder, None) == "my-model"
    assert repo_name(folder / ".", None) == "my-model"
    assert repo_name(folder, "other") == "other"
    with pytest.raises(UsageError, match="not a repo name") as caught:
        repo_name(tmp_path / "my model", None)
    assert "--name NAME" in caught.value.next_step


@pytest.mark.parametrize(
    "url", ["hub", "ftp://hub", "http://", "https://user:pw@hub", "https://hub?x=1", "http://[bad"]
)
def test_what_is_not_the_url_of_a_hub(url: str) -> None:
    with pytest.raises(UsageError, match="not the URL of a hub"):
        parse_endpoint(url)


def test_a_target_does_not_show_its_token() -> None:
    target = Target("http://hub.example", "hf_secret", "HF_TOKEN")
    assert "hf_secret" not in repr(target)
    assert target.sends_token_in_clear
    assert not Target("http://127.0.0.1:80", "t", "").sends_token_in_clear
    assert not Target("https://hub.example", "t", "").sends_token_in_clear


def test_tokens_are_cut_out_of_what_a_server_says() -> None:
    assert redact("bad token hf_abcDEF123456 given") == "bad token hf_*** given"
    assert redact("hf_jwt_abc.def-ghi") == "hf_***"


@pytest.mark.parametrize(
    ("identity", "spaces"),
    [
        (Identity("al", "write", {"acme": "contributor", "ro": "read", "old": None}), ["acme", "al", "old"]),
        (Identity("al", "read", {"acme": "admin"}), []),
        (Identity("al", "fineGrained", {"acme": "admin"}, frozenset({"acme", "x"})), ["acme"]),
    ],
)
def test_where_a_token_may_publish(identity: Identity, spaces: list[str]) -> None:
    assert identity.open_namespaces() == spaces
