"""Which token is used: the order of the places, whom each is for, and what cannot be a token."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest
from huggingface_hub import constants
from support.secrets_kept import keeps

from hubpub.core.errors import AuthError, UsageError
from hubpub.publish.target import TokenWish, find_target
from hubpub.publish.tokens import checked_token

HUB, OTHER = "https://huggingface.co", "https://hub.example.org"
SECRET = "hf_veryMuchASecret0123456789"


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A token file of this test, no keyring, no Colab, nothing in the environment; the hub is the public one."""
    monkeypatch.setattr(constants, "ENDPOINT", HUB)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "stored"))
    monkeypatch.setattr(constants, "HF_STORED_TOKENS_PATH", str(tmp_path / "stored_tokens"))
    monkeypatch.setitem(sys.modules, "keyring", None)
    monkeypatch.setitem(sys.modules, "google.colab", None)
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_OIDC_RESOURCE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "stored"


def install_keyring(monkeypatch: pytest.MonkeyPatch, entries: dict[tuple[str, str], str]) -> None:
    module = types.ModuleType("keyring")
    module.get_password = lambda service, user: entries.get((service, user))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", module)


def install_colab(monkeypatch: pytest.MonkeyPatch, secret: str | None) -> None:
    class NotebookAccessError(Exception):
        pass

    def get(name: str) -> str:
        if secret is None or name != "HF_TOKEN":
            raise NotebookAccessError
        return secret

    google, colab = types.ModuleType("google"), types.ModuleType("google.colab")
    userdata = types.ModuleType("google.colab.userdata")
    userdata.get = get  # type: ignore[attr-defined]
    colab.userdata = userdata  # type: ignore[attr-defined]
    google.colab = colab  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "google", google)
    monkeypatch.setitem(sys.modules, "google.colab", colab)


def test_the_order_of_the_places(monkeypatch: pytest.MonkeyPatch, places: Path, tmp_path: Path) -> None:
    """From the last place to the first: each goes before those behind it."""
    install_colab(monkeypatch, "hf_ofColab")
    assert find_target(None, {}).token_source == "Colab secret HF_TOKEN"
    install_keyring(monkeypatch, {(HUB, "hubpub"): "hf_ofKeyring"})
    assert find_target(None, {}).token_source == f"keyring ({HUB})"
    places.write_text("hf_ofTheFile\n")
    found = find_target(None, {})
    assert (found.token, found.token_source) == ("hf_ofTheFile", f"token file {places}")
    environ = {"HUGGING_FACE_HUB_TOKEN": "hf_old"}
    assert find_target(None, environ).token_source == "HUGGING_FACE_HUB_TOKEN"
    environ["HF_TOKEN"] = "hf_new"
    assert find_target(None, environ).token == "hf_new"
    environ["HF_OIDC_RESOURCE"] = "acme/model"
    exchanged = find_target(None, environ)
    assert (exchanged.token, exchanged.token_source) == (None, "keyless exchange (Google Cloud)")
    named = tmp_path / "mine"
    named.write_bytes(b"\xef\xbb\xbfhf_named\r\n")
    last = find_target(None, environ, wish=TokenWish(file=named))
    assert (last.token, last.token_source) == ("hf_named", f"--token-file {named}")
    keeps(["hf_ofTheFile", "hf_named", "hf_new"], repr(found), repr(last), repr(exchanged))


def test_the_home_directory_is_not_spelt_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "stored").write_text(SECRET)
    assert find_target(None, {}).token_source == "token file ~/stored"


def test_a_stored_token_is_for_the_hub_that_it_was_made_for(monkeypatch: pytest.MonkeyPatch, places: Path) -> None:
    places.write_text(SECRET)
    install_colab(monkeypatch, SECRET)
    install_keyring(monkeypatch, {(HUB, "hubpub"): SECRET})
    for environ in ({}, {"HUGGING_FACE_HUB_TOKEN": SECRET}):
        with pytest.raises(AuthError, match=r"no token for https://hub\.example\.org") as caught:
            find_target(OTHER, environ)
        assert "auth login" not in caught.value.next_step
        keeps([SECRET], caught.value)
    install_keyring(monkeypatch, {(OTHER, "hubpub"): "made-for-it"})
    assert find_target(OTHER, {}).token == "made-for-it"
    assert find_target(OTHER, {"HF_TOKEN": "hf_given"}).token == "hf_given"


def test_places_that_fail_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: str) -> str:
        raise RuntimeError(f"keyring is locked; {SECRET}")

    module = types.ModuleType("keyring")
    module.get_password = locked  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", module)
    install_colab(monkeypatch, None)
    with pytest.raises(AuthError, match="no token for") as caught:
        find_target(None, {"GITHUB_ACTIONS": "true"})
    assert "--keyless" in caught.value.next_step
    assert caught.value.layer == "token"
    keeps([SECRET], caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        (" \n", "it is empty"),
        (f'"{SECRET}"', "it is in quotes"),
        (f"{SECRET}'", "it is in quotes"),
        (f"Bearer {SECRET}", "a word stands before it"),
        (f"{SECRET[:12]} {SECRET[12:]}", "white space in it"),
        (f"{SECRET}\nhf_another", "white space in it"),
        (f"{SECRET}…", "characters that no token has"),
        (f"HF_TOKEN={SECRET}", "an assignment"),
        ("hf_xxxxxxxxxxxx", "a placeholder"),
        ("hf_...", "a placeholder"),
        ("eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2lnbmF0dXJl", "an id token"),
        ("ghp_0123456789abcdef0123456789abcdef0123", "looks like one of GitHub"),
        ("sk-ant-0123456789abcdef", "looks like one of OpenAI or Anthropic"),
        (SECRET.removeprefix("hf_"), "begin with hf_"),
    ],
)
def test_what_cannot_be_a_token(text: str, why: str) -> None:
    with pytest.raises(AuthError, match=why) as caught:
        checked_token(text, "HF_TOKEN", HUB)
    assert "from HF_TOKEN" in caught.value.message
    assert caught.value.layer == "token"
    keeps([part for part in (SECRET, *text.split()) if len(part) > 8], caught.value)


def test_other_hubs_have_tokens_of_their_own() -> None:
    assert checked_token("\t1234567890\n", "HF_TOKEN", OTHER) == "1234567890"


def test_a_token_file_that_holds_none(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"a" * 100_000)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name, why in (("absent", "cannot be read"), ("large", "too large"), ("binary", "not a text"), ("", "read")):
        with pytest.raises(AuthError, match=why):
            find_target(None, {"HF_TOKEN": "hf_other"}, wish=TokenWish(file=tmp_path / name))


def test_a_keyless_token_needs_a_repo() -> None:
    with pytest.raises(UsageError, match="none is named"):
        find_target(None, {}, wish=TokenWish(keyless=True))
    with pytest.raises(UsageError, match="HF_OIDC_RESOURCE is acme/other"):
        find_target(None, {"HF_OIDC_RESOURCE": "acme/other"}, wish=TokenWish(keyless=True, repo_id="acme/model"))
