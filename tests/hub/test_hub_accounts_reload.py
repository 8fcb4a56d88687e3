"""The accounts file of a hub that runs: what changes in it counts, and what was said elsewhere stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import support.client_env  # noqa: F401  before huggingface_hub
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError
from hypothesis import given, settings
from hypothesis import strategies as st

from hubpub.core.errors import UsageError
from hubpub.hub import Org, Role, Token, User, parse_org, parse_token
from hubpub.hub.access.accounts import Accounts
from hubpub.hub.access.accounts_file import load_accounts
from hubpub.hub.access.accounts_watch import AccountsWatch
from hubpub.hub.naming import RepoId, RepoKind

REPO_ROOT = Path(__file__).parents[2]
KEY = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
BEFORE = """
[users.alice]
fullname = "Alice A."
[orgs.acme]
alice = "admin"
[[tokens]]
token = "hf_filealice"
user = "alice"
[[tokens]]
token = "hf_filebob"
user = "bob"
"""
AFTER = """
[orgs.acme]
carol = "write"
[[tokens]]
token = "hf_filecarol"
user = "carol"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "accounts.toml"
    path.write_text(BEFORE)
    return path


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def watch(path: Path, told: list[str]) -> AccountsWatch:
    return AccountsWatch(path, told.append)


@pytest.fixture
def accounts(watch: AccountsWatch) -> Accounts:
    return watch.declared.accounts([parse_token("hf_flag=dave")], [parse_org("flagged=dave:admin")])


def known(accounts: Accounts, *texts: str) -> list[bool]:
    return [accounts.identify(text) is not None for text in texts]


def test_what_the_file_says_now_counts(watch: AccountsWatch, accounts: Accounts, told: list[str]) -> None:
    watch.look(accounts)
    watch.look(accounts)
    assert told == []
    watch.path.write_text(AFTER)
    # It may be half written yet.
    watch.look(accounts)
    assert known(accounts, "hf_filealice", "hf_filecarol") == [True, False]
    watch.look(accounts)
    assert known(accounts, "hf_filealice", "hf_filebob", "hf_filecarol") == [False, False, True]
    assert accounts.role_of(User("alice"), "acme") is Role.NO_ACCESS
    assert accounts.role_of(User("carol"), "acme") is Role.WRITE
    assert "bob" not in accounts.users
    assert told == [f"the accounts were read again from {watch.path}"]
    watch.look(accounts)
    assert len(told) == 1


def test_a_file_in_its_place_counts_too(watch: AccountsWatch, accounts: Accounts) -> None:
    new = watch.path.with_suffix(".new")
    new.write_text(BEFORE.replace("filebob", "fileBOB"))
    was = watch.path.stat()
    os.utime(new, ns=(was.st_atime_ns, was.st_mtime_ns))
    new.replace(watch.path)
    watch.look(accounts)
    watch.look(accounts)
    assert known(accounts, "hf_filebob", "hf_fileBOB") == [False, True]


def test_what_was_said_elsewhere_stays(watch: AccountsWatch, accounts: Accounts) -> None:
    accounts.add_token(Token.of("hf_api", "erin"))
    accounts.add_org(Org("made", {"erin": Role.ADMIN}))
    accounts.revoke("hf_filealice")
    short = Token.of("hf_jwt_1", "acme", repo=RepoId(RepoKind.MODEL, "acme", "m"), expires=time.time() + 60)
    accounts.add_short_lived(short)
    watch.path.write_text(BEFORE + '[users.frank]\nfullname = "Frank"\n')
    watch.read(accounts)
    assert known(accounts, "hf_flag", "hf_api", "hf_jwt_1", "hf_filealice", "hf_filebob") == [True] * 3 + [False, True]
    assert accounts.why_refused("hf_filealice") == "the token has been revoked"
    assert accounts.role_of(User("dave"), "flagged") is Role.ADMIN
    assert accounts.role_of(User("erin"), "made") is Role.ADMIN
    assert accounts.users["frank"].fullname == "Frank"
    assert accounts.users["alice"].fullname == "Alice A."


def test_a_publisher_that_is_gone_takes_its_tokens_along(watch: AccountsWatch, accounts: Accounts) -> None:
    issuer = f'[issuers.ci]\njwks = {{ keys = [{{ kty = "OKP", crv = "Ed25519", x = "{KEY}" }}] }}\n'
    publisher = '[[publishers]]\nrepo = "acme/{}"\nissuer = "ci"\nclaims = {{ sub = "x" }}\n'
    watch.path.write_text(BEFORE + publisher.format("m") + publisher.format("n") + issuer)
    watch.read(accounts)
    for name in "mn":
        repo = RepoId(RepoKind.MODEL, "acme", name)
        accounts.add_short_lived(Token.of(f"hf_jwt_{name}", "acme", repo=repo, expires=time.time() + 60))
    assert known(accounts, "hf_jwt_m", "hf_jwt_n") == [True, True]
    watch.path.write_text(BEFORE + publisher.format("n") + issuer)
    watch.read(accounts)
    assert known(accounts, "hf_jwt_m", "hf_jwt_n") == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        "[[tokens",
        BEFORE + '[[tokens]]\ntoken = "hf_new"\n',
        BEFORE + '[orgs.bob]\nalice = "read"\n',
        BEFORE + '[orgs.dave]\nalice = "read"\n',
        'hf_secret = "alice"\n' + BEFORE,
        BEFORE + '[[tokens]]\nuser = "hf_secret"\nfoo = 1\n',
        BEFORE.replace('"admin"', '"hf_secret"'),
        None,
    ],
)
def test_a_broken_file_changes_nothing(
    watch: AccountsWatch, accounts: Accounts, told: list[str], text: str | None
) -> None:
    if text is None:
        watch.path.unlink()
    else:
        watch.path.write_text(text)
    for _ in range(4):
        watch.look(accounts)
    assert known(accounts, "hf_filealice", "hf_filebob", "hf_flag", "hf_new") == [True, True, True, False]
    assert accounts.role_of(User("alice"), "acme") is Role.ADMIN
    assert len(told) == 1
    assert told[0].startswith("WARNING: the accounts stay as they were: ")
    for secret in ("hf_new", "hf_secret", "hf_file", "hf_flag"):
        assert secret not in told[0]
    watch.path.write_text(AFTER)
    for _ in range(2):
        watch.look(accounts)
    assert known(accounts, "hf_filealice", "hf_filecarol") == [False, True]


WHOLE: dict[str, Any] = {
    "users": {"alice": {"fullname": "Alice A."}},
    "orgs": {"acme": {"alice": "admin"}},
    "policies": {"acme": {"fine_grained_only": True}},
    "tokens": [
        {"token": "hf_1", "user": "alice", "role": "write", "expires": "2030-01-01T00:00:00Z", "revoked": False},
        {"sha256": "0" * 64, "user": "bob", "scopes": [{"org": "acme", "permissions": ["repo.write"]}], "gated": True},
    ],
    "accepted": {"acme/m": ["bob"]},
    "issuers": {"ci": {"jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": KEY}]}}},
    "publishers": [{"repo": "acme/m", "issuer": "ci", "claims": {"sub": "x"}}],
}
ODD = st.sampled_from(
    [
        None,
        True,
        -1,
        1e309,
        "",
        "é",
        "\ud800",
        "a" * 300,
        "alice",
        "0001-01-01T00:00:00+23:59",
        "x\x00",
        [],
        {},
        [[]],
        [{}],
        {"": ""},
        {"user": "alice"},
        {"keys": [{}]},
        ["\ud800"],
        {"\ud800": {}},
    ]
)


def places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if here:
        yield here
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*here, key))


@settings(max_examples=300)
@given(st.sampled_from(list(places(WHOLE))), ODD, st.booleans())
def test_no_file_stops_a_hub(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[Any, ...], odd: Any, as_key: bool
) -> None:
    document = deepcopy(WHOLE)
    *above, last = place
    holder: Any = document
    for key in above:
        holder = holder[key]
    if as_key and isinstance(holder, dict) and isinstance(odd, str):
        holder[odd] = holder.pop(last)
    else:
        holder[last] = odd
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(document))
    with suppress(UsageError):
        load_accounts(path).accounts()


# In a process

MAIN = "import sys; from hubpub.cli.serve import serve; serve(sys.argv[1:], standalone_mode=False)"


@contextmanager
def serving(root: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "--root", str(root), "--port", "0", *arguments],
        env={**os.environ, "PYTHONPATH": str(REPO_ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def name(endpoint: str, token: str) -> str | None:
    try:
        return str(HfApi(endpoint=endpoint, token=token).whoami()["name"])
    except HfHubHTTPError:
        return None


def wait_for(what: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_while_it_serves(path: Path, tmp_path: Path) -> None:
    arguments = ("--accounts", str(path), "--token", "hf_flag=dave")
    with serving(tmp_path / "hub", *arguments) as (process, endpoint):
        assert process.stderr is not None
        assert (name(endpoint, "hf_filealice"), name(endpoint, "hf_filecarol")) == ("alice", None)
        path.write_text(AFTER)
        wait_for(lambda: name(endpoint, "hf_filecarol") == "carol")
        assert (name(endpoint, "hf_filealice"), name(endpoint, "hf_flag")) == (None, "dave")
        assert process.stderr.readline() == f"the accounts were read again from {path}\n"
        path.write_text("[[tokens]]\ntoken = 'hf_secret'\n")
        assert process.stderr.readline() == (
            f"WARNING: the accounts stay as they were: {path} is not an accounts file: an entry has no text 'user'\n"
        )
        assert name(endpoint, "hf_filecarol") == "carol"
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="has no SIGHUP")
def test_hangup_reads_it_again(path: Path, tmp_path: Path) -> None:
    with serving(tmp_path / "hub", "--accounts", str(path)) as (process, endpoint):
        assert process.stderr is not None
        process.send_signal(signal.SIGHUP)
        assert process.stderr.readline() == f"the accounts were read again from {path}\n"
        assert name(endpoint, "hf_filealice") == "alice"
