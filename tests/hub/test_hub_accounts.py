from __future__ import annotations

from pathlib import Path

import pytest

from hubpub.core.errors import UsageError
from hubpub.hub.access.accounts import Accounts, Org, Role, User
from hubpub.hub.access.accounts_file import load_accounts, parse_org, parse_token
from hubpub.hub.access.tokens import Token, TokenRole


def test_token_flags() -> None:
    assert parse_token("hf_abc=alice:read") == Token.of("hf_abc", "alice", TokenRole.READ)
    assert parse_token("hf_abc=alice").role is TokenRole.WRITE
    assert "hf_abc" not in repr(parse_token("hf_abc=alice"))


@pytest.mark.parametrize("flag", ["hf_abc", "=alice:write", "hf_abc=", "hf_abc=:write", "hf_abc=alice:admin", "é=a"])
def test_malformed_token_flags_are_not_repeated(flag: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_token(flag)
    assert "hf_abc" not in refused.value.message


def test_org_flags() -> None:
    assert parse_org("acme=alice:admin,bob") == Org("acme", {"alice": Role.ADMIN, "bob": Role.READ})
    assert parse_org("acme=").members == {}
    assert parse_org("acme=eve:no_access").members == {"eve": Role.NO_ACCESS}


@pytest.mark.parametrize("flag", ["acme", "=alice:admin", "acme=alice:boss", "acme=alice:read,alice:write"])
def test_malformed_org_flags(flag: str) -> None:
    with pytest.raises(UsageError):
        parse_org(flag)


def test_accounts_know_whose_a_token_is() -> None:
    accounts = Accounts.of([parse_token("hf_abc=alice:read")], [parse_org("acme=bob:write")])
    identity = accounts.identify("hf_abc")
    assert identity is not None
    assert identity.user == User("alice")
    assert accounts.identify("hf_abd") is None
    assert accounts.role_of(User("bob"), "acme") is Role.WRITE
    assert accounts.role_of(User("bob"), "bob") is Role.ADMIN
    assert accounts.role_of(User("alice"), "acme") is Role.NO_ACCESS


@pytest.mark.parametrize("org", ["alice=bob:read", "api=bob:read", "a/b=bob:read", "acme=../x:read"])
def test_names_that_cannot_be(org: str) -> None:
    with pytest.raises(UsageError):
        Accounts.of([parse_token("hf_abc=alice")], [parse_org(org)])


TOML = """
[users.alice]
fullname = "Alice A."
[orgs.acme]
alice = "admin"
bob = "read"
[[tokens]]
token = "hf_abc"
user = "alice"
role = "read"
name = "laptop"
[[tokens]]
sha256 = "f75b3a3c4dbc0f5ed4e1b0c6b0b8a5b5b7a7a4e0e7b1b0e1d8a2c4b6f8e0d2c4"
user = "bob"
"""
JSON = '{"orgs": {"acme": {"alice": "admin"}}, "tokens": [{"token": "hf_abc", "user": "alice"}]}'


def test_accounts_files(tmp_path: Path) -> None:
    path = tmp_path / "accounts.toml"
    path.write_text(TOML)
    found = load_accounts(path)
    assert found.users == (User("alice", "Alice A."),)
    assert found.orgs == (Org("acme", {"alice": Role.ADMIN, "bob": Role.READ}),)
    assert found.tokens[0] == Token.of("hf_abc", "alice", "read", "laptop")
    assert found.tokens[1].user == "bob"
    path = tmp_path / "accounts.json"
    path.write_text(JSON)
    assert load_accounts(path).tokens == (Token.of("hf_abc", "alice"),)


@pytest.mark.parametrize(
    "text",
    [
        'token = "hf_abc',
        "users = 1",
        "tokens = 1",
        "other = 1",
        "[users]\nalice = 1",
        "[orgs]\nacme = 1",
        '[orgs.acme]\nalice = "boss"',
        '[[tokens]]\ntoken = "hf_abc"',
        '[[tokens]]\nuser = "alice"',
        '[[tokens]]\nuser = "alice"\nsha256 = "x"',
        '[[tokens]]\nuser = "alice"\ntoken = "hf_abc"\nrole = "admin"',
    ],
)
def test_malformed_accounts_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "accounts.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as refused:
        load_accounts(path)
    assert "hf_abc" not in refused.value.message
    with pytest.raises(UsageError, match="cannot be read"):
        load_accounts(tmp_path / "nowhere.toml")
