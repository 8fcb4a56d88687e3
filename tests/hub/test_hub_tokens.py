"""Tokens: read, write, fine-grained; expiry and revocation; what organisations ask of them; gated repos."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import support.client_env  # noqa: F401  before huggingface_hub
from huggingface_hub import CommitOperationAdd, HfApi, get_session
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError
from support.running_hub import ALICE, BOB, CAROL, READER, TestHub

from hubpub.hub import AccountsFile, Grants, Hub, Org, Role, Scope, load_accounts, running

WRITE = frozenset({"repo.content.read", "repo.write"})
READ = frozenset({"repo.content.read"})


def fine(hub: Hub, user: str, *scopes: Scope, everywhere: frozenset[str] = frozenset(), gated: bool = False) -> str:
    return hub.token(user, grants=Grants(scopes, everywhere, gated))


ACTIONS = {
    "see": ("GET", "/api/models/{repo}"),
    "read": ("GET", "/{repo}/resolve/main/.gitattributes"),
    "propose": ("POST", "/api/models/{repo}/preupload/main?create_pr=1"),
    "write": ("POST", "/api/models/{repo}/preupload/main"),
    "manage": ("PUT", "/api/models/{repo}/settings"),
}
REPOS = ("acme/open", "acme/secret", "acme/gated", "acme/carols")


def status(endpoint: str, token: str | None, action: str, repo: str) -> int:
    method, path = ACTIONS[action]
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"json": {"files": []} if method == "POST" else {}} if method != "GET" else {}
    answer = get_session().request(method, endpoint + path.format(repo=repo), headers=headers, **body)
    assert answer.status_code < 400 or answer.headers["X-Error-Message"] == answer.json()["error"]
    if answer.status_code == 404:
        assert answer.headers["X-Error-Code"] == "RepoNotFound"
    return int(answer.status_code)


# Rows: who. Columns: action. Cells: the status for open, secret (private), gated, carols (private, made by carol).
MATRIX = {
    #  see               read              propose           write             manage
    "nobody": "200 401 200 401 | 200 401 401 401 | 401 401 401 401 | 401 401 401 401 | 401 401 401 401",
    "stranger": "200 404 200 404 | 200 404 403 404 | 200 404 200 404 | 403 404 403 404 | 403 404 403 404",
    "no_access": "200 404 200 404 | 200 404 403 404 | 200 404 200 404 | 403 404 403 404 | 403 404 403 404",
    "read": "200 200 200 200 | 200 200 200 200 | 200 200 200 200 | 403 403 403 403 | 403 403 403 403",
    "contributor": "200 200 200 200 | 200 200 200 200 | 200 200 200 200 | 403 403 403 200 | 403 403 403 200",
    "write": "200 200 200 200 | 200 200 200 200 | 200 200 200 200 | 200 200 200 200 | 200 200 200 200",
    "admin": "200 200 200 200 | 200 200 200 200 | 200 200 200 200 | 200 200 200 200 | 200 200 200 200",
    "admin's read token": "200 200 200 200 | 200 200 200 200 | 403 403 403 403 | 403 403 403 403 | 403 403 403 403",
    "fine: nothing": "200 404 200 404 | 200 404 403 404 | 403 404 403 404 | 403 404 403 404 | 403 404 403 404",
    "fine: reads acme": "200 200 200 200 | 200 200 200 200 | 403 403 403 403 | 403 403 403 403 | 403 403 403 403",
    "fine: writes acme": "200 200 200 200 | 200 200 200 200 | 200 200 200 200 | 200 200 200 200 | 200 200 200 200",
    "fine: writes secret": "200 200 200 404 | 200 200 403 404 | 403 200 403 404 | 403 200 403 404 | 403 200 403 404",
    "fine: discusses": "200 200 200 200 | 200 403 403 403 | 200 200 200 200 | 403 403 403 403 | 403 403 403 403",
    "fine: gated": "200 404 200 404 | 200 404 200 404 | 403 404 403 404 | 403 404 403 404 | 403 404 403 404",
    "fine: reader's writes": "200 200 200 200 | 200 200 200 200 | 200 200 200 200 | 403 403 403 403 | 403 403 403 403",
}  # fmt: skip


def test_who_may_do_what(hub: TestHub) -> None:
    hub.hub.accounts.add_org(
        Org(
            "acme",
            {
                "alice": Role.ADMIN,
                "bob": Role.READ,
                "carol": Role.CONTRIBUTOR,
                "wendy": Role.WRITE,
                "nora": Role.NO_ACCESS,
            },
        )
    )
    alice, acme = hub.api(), Scope("org", "acme", READ)
    alice.create_repo("acme/open")
    alice.create_repo("acme/secret", private=True)
    alice.create_repo("acme/gated")
    hub.api(CAROL).create_repo("acme/carols", private=True)
    alice.update_repo_settings("acme/gated", gated="manual")
    tokens = {
        "nobody": None,
        "stranger": hub.hub.token("dave"),
        "no_access": hub.hub.token("nora"),
        "read": BOB,
        "contributor": CAROL,
        "write": hub.hub.token("wendy"),
        "admin": ALICE,
        "admin's read token": READER,
        "fine: nothing": fine(hub.hub, "alice"),
        "fine: reads acme": fine(hub.hub, "alice", acme),
        "fine: writes acme": fine(hub.hub, "alice", Scope("org", "acme", WRITE)),
        "fine: writes secret": fine(hub.hub, "alice", Scope("model", "acme/secret", WRITE)),
        "fine: discusses": fine(hub.hub, "alice", everywhere=frozenset({"discussion.write"})),
        "fine: gated": fine(hub.hub, "alice", gated=True),
        "fine: reader's writes": fine(hub.hub, "bob", Scope("org", "acme", WRITE)),
    }
    found = {
        name: " | ".join(
            " ".join(str(status(hub.endpoint, token, action, repo)) for repo in REPOS) for action in ACTIONS
        )
        for name, token in tokens.items()
    }
    assert found == MATRIX


def refused(action: object) -> HfHubHTTPError:
    with pytest.raises(HfHubHTTPError) as caught:
        action()  # type: ignore[operator]
    return caught.value


def test_refusals_say_what_is_missing(hub: TestHub) -> None:
    hub.api().create_repo("acme/m")
    scope = Scope("org", "acme", READ)
    for token, words in (
        (READER, "you must use a write token to do this with acme/m"),
        (BOB, "your role does not let you do this with acme/m; pass `create_pr=1` as a query parameter"),
        (fine(hub.hub, "alice", scope), "the fine-grained token has no repo.write for acme/m"),
    ):
        error = refused(lambda token=token: hub.api(token).auth_check("acme/m", write=True))
        assert words in str(error)
        assert "pass `create_pr" not in str(refused(lambda token=token: hub.api(token).delete_repo("acme/m")))


def test_where_fine_grained_tokens_create(hub: TestHub) -> None:
    org = hub.api(fine(hub.hub, "alice", Scope("org", "acme", WRITE)))
    org.create_repo("acme/new")
    assert refused(lambda: org.create_repo("alice/new")).response.status_code == 403
    one = hub.api(fine(hub.hub, "alice", Scope("model", "acme/next", WRITE)))
    assert refused(lambda: one.create_repo("acme/next")).response.status_code == 403
    elsewhere = hub.api(fine(hub.hub, "bob", Scope("org", "acme", WRITE)))
    assert refused(lambda: elsewhere.create_repo("acme/next")).response.status_code == 403


def test_whoami_tells_what_a_fine_grained_token_may(hub: TestHub) -> None:
    scope = Scope("org", "acme", WRITE)
    token = hub.hub.token(
        "alice", grants=Grants((scope,), frozenset({"discussion.write"}), gated=True), expires_in=3600
    )
    found = hub.api(token).whoami()
    access = found["auth"]["accessToken"]
    entity = access["fineGrained"]["scoped"][0].pop("entity")
    assert (found["type"], found["auth"]["type"], access["role"]) == ("user", "access_token", "fineGrained")
    assert (entity["type"], entity["name"], len(entity["_id"])) == ("org", "acme", 24)
    assert access["fineGrained"] == {
        "canReadGatedRepos": True,
        "global": ["discussion.write"],
        "scoped": [{"permissions": ["repo.content.read", "repo.write"]}],
    }
    assert found["auth"]["expiresAt"].endswith("Z")
    assert "fineGrained" not in hub.api().whoami()["auth"]["accessToken"]


def test_tokens_end(hub: TestHub) -> None:
    hub.api().create_repo("acme/open")
    expired, revoked = hub.hub.token("alice", expires_in=0), hub.hub.token("alice")
    hub.api(revoked).whoami()
    hub.hub.revoke(revoked)
    for token, why in ((expired, "has expired"), (revoked, "has been revoked"), ("hf_unknown", "")):
        for call in (lambda api: api.whoami(), lambda api: api.model_info("acme/open")):
            error = refused(lambda call=call, token=token: call(hub.api(token)))
            assert error.response.status_code == 401
            assert error.response.headers["X-Error-Message"] == "Invalid credentials in Authorization header"
            assert why in error.response.json()["error"]
    with pytest.raises(KeyError):
        hub.hub.revoke("hf_unknown")


def test_only_hashes_are_kept(hub: TestHub) -> None:
    token = hub.hub.token("alice")
    assert token not in repr(hub.hub.accounts)
    assert token.removeprefix("hf_") not in repr(hub.hub)


@contextmanager
def strict_org(tmp_path: Path) -> Iterator[Hub]:
    org = Org("acme", {"alice": Role.ADMIN, "bob": Role.READ}, fine_grained_only=True, public_repos=False)
    with running(tmp_path / "hub", orgs=[org]) as hub:
        yield hub


def test_an_organisation_that_takes_fine_grained_tokens_only(tmp_path: Path) -> None:
    with strict_org(tmp_path) as hub:
        good = HfApi(endpoint=hub.endpoint, token=fine(hub, "alice", Scope("org", "acme", WRITE)))
        classic = HfApi(endpoint=hub.endpoint, token=hub.token("alice"))
        stranger = HfApi(endpoint=hub.endpoint, token=hub.token("dave"))
        good.create_repo("acme/m", private=True)
        classic.create_repo("alice/m")
        for call in (
            lambda: classic.create_repo("acme/n", private=True),
            lambda: classic.model_info("acme/m"),
            lambda: classic.auth_check("acme/m", write=True),
            lambda: classic.create_commit("acme/m", [CommitOperationAdd("a.txt", b"a")], commit_message="m"),
        ):
            error = refused(call)
            assert error.response.status_code == 403
            assert "only accepts fine-grained tokens" in str(error)
        assert refused(lambda: stranger.model_info("acme/m")).response.status_code == 404
        assert refused(lambda: stranger.create_repo("acme/n")).response.status_code == 403
        good.create_commit("acme/m", [CommitOperationAdd("a.txt", b"a")], commit_message="m")


def test_an_organisation_without_public_repos(tmp_path: Path) -> None:
    with strict_org(tmp_path) as hub:
        api = HfApi(endpoint=hub.endpoint, token=fine(hub, "alice", Scope("org", "acme", WRITE)))
        error = refused(lambda: api.create_repo("acme/open", private=False))
        assert error.response.status_code == 403
        assert "acme forbids the creation of public models" in str(error)
        api.create_repo("acme/usual")
        assert api.model_info("acme/usual").private is True
        error = refused(lambda: api.update_repo_settings("acme/usual", visibility="public"))
        assert error.response.status_code == 403
        assert api.model_info("acme/usual").private is True


def ask(hub: TestHub, repo: str, token: str) -> str:
    answer = get_session().post(f"{hub.endpoint}/{repo}/ask-access", headers={"Authorization": f"Bearer {token}"})
    return str(answer.json().get("status", answer.status_code))


def test_gated_repos(hub: TestHub) -> None:
    owner, dave, erin = hub.api(), hub.hub.token("dave"), hub.hub.token("erin")
    for name in ("auto", "manual"):
        owner.create_repo(f"acme/{name}")
        owner.update_repo_settings(f"acme/{name}", gated=name)  # type: ignore[arg-type]
    with pytest.raises(GatedRepoError, match="Access to model acme/auto is restricted and you are not in the"):
        hub.api(dave).auth_check("acme/auto")
    assert hub.api(dave).model_info("acme/auto").gated == "auto"
    assert ask(hub, "acme/auto", dave) == "accepted"
    hub.api(dave).auth_check("acme/auto")

    assert ask(hub, "acme/manual", dave) == "pending"
    with pytest.raises(GatedRepoError, match="awaiting a review from the repo authors"):
        hub.api(dave).auth_check("acme/manual")
    assert [request.username for request in owner.list_pending_access_requests("acme/manual")] == ["dave"]
    assert refused(lambda: hub.api(dave).accept_access_request("acme/manual", "dave")).response.status_code == 403
    owner.accept_access_request("acme/manual", "dave")
    hub.read("acme/manual", ".gitattributes", dave)
    only_public = fine(hub.hub, "dave")
    with pytest.raises(GatedRepoError):
        hub.api(only_public).auth_check("acme/manual")
    hub.api(fine(hub.hub, "dave", gated=True)).auth_check("acme/manual")
    owner.reject_access_request("acme/manual", "dave", rejection_reason=None)
    assert ask(hub, "acme/manual", dave) == "rejected"
    with pytest.raises(GatedRepoError):
        hub.api(dave).auth_check("acme/manual")

    owner.grant_access("acme/manual", "erin")
    hub.api(erin).auth_check("acme/manual")
    assert [request.username for request in owner.list_accepted_access_requests("acme/manual")] == ["erin"]
    assert refused(lambda: owner.grant_access("acme/manual", "erin")).response.status_code == 400
    assert refused(lambda: owner.grant_access("acme/manual", "unknown")).response.status_code == 404
    owner.update_repo_settings("acme/manual", gated=False)
    assert refused(lambda: owner.grant_access("acme/manual", "bob")).response.status_code == 400


def test_gated_repo_of_another_kind(hub: TestHub) -> None:
    hub.api().create_repo("acme/data", repo_type="dataset")
    hub.api().update_repo_settings("acme/data", repo_type="dataset", gated="manual")
    dave = hub.api(hub.hub.token("dave"))
    with pytest.raises(GatedRepoError, match="Access to dataset acme/data"):
        dave.auth_check("acme/data", repo_type="dataset")
    hub.api().grant_access("acme/data", "dave", repo_type="dataset")
    dave.auth_check("acme/data", repo_type="dataset")


ACCOUNTS = """
[users.alice]
[orgs.acme]
alice = "admin"
[policies.acme]
fine_grained_only = true
public_repos = false
[[tokens]]
token = "hf_fine"
user = "alice"
scopes = [{ org = "acme", permissions = ["repo.write", "repo.content.read"] }]
global = ["discussion.write"]
gated = true
expires = 2999-01-01T00:00:00Z
[[tokens]]
token = "hf_old"
user = "alice"
expires = "2001-01-01T00:00:00Z"
[[tokens]]
token = "hf_gone"
user = "alice"
revoked = true
[[tokens]]
token = "hf_dave"
user = "dave"
[accepted]
"alice/gated" = ["dave"]
"""


def test_accounts_file(tmp_path: Path) -> None:
    path = tmp_path / "accounts.toml"
    path.write_text(ACCOUNTS)
    with running(tmp_path / "hub", accounts=load_accounts(path)) as hub:
        api = HfApi(endpoint=hub.endpoint, token="hf_fine")
        api.create_repo("acme/m")
        assert api.model_info("acme/m").private is True
        for token in ("hf_old", "hf_gone"):
            assert refused(lambda token=token: HfApi(endpoint=hub.endpoint, token=token).whoami())
        HfApi(endpoint=hub.endpoint, token=hub.token("alice")).create_repo("alice/gated")
        owner = HfApi(endpoint=hub.endpoint, token=hub.token("alice"))
        owner.update_repo_settings("alice/gated", gated="manual")
        HfApi(endpoint=hub.endpoint, token="hf_dave").auth_check("alice/gated")
        with pytest.raises(GatedRepoError):
            HfApi(endpoint=hub.endpoint, token=hub.token("erin")).auth_check("alice/gated")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"scopes": 1}, "scopes of alice's token is not a list"),
        ({"scopes": [{"permissions": []}]}, "does not have one of user, org, model, dataset"),
        ({"scopes": [{"org": "acme", "permissions": "repo.write"}]}, "is not a list of texts"),
        ({"scopes": [{"org": "acme", "permissions": ["write!"]}]}, "'write!' in alice's token is not a permission"),
        ({"scopes": [], "role": "write"}, "which only a fineGrained one can have"),
        ({"expires": "soon"}, "is not a date and time"),
        ({"expires": 5}, "is not a date and time"),
        ({"revoked": "yes"}, "revoked of alice's token is not true or false"),
        ({"scope": []}, "unknown key 'scope'"),
    ],
)
def test_malformed_tokens(tmp_path: Path, entry: dict[str, object], message: str) -> None:
    from hubpub.core.errors import UsageError

    path = tmp_path / "accounts.json"
    path.write_text(json.dumps({"tokens": [{"token": "hf_abc", "user": "alice", **entry}]}))
    with pytest.raises(UsageError) as caught:
        load_accounts(path)
    assert message in caught.value.message
    assert "hf_abc" not in caught.value.message


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"policies": {"acme": {}}}, "an organisation that is not in orgs"),
        ({"orgs": {"acme": {}}, "policies": {"acme": {"public": False}}}, "is not a table of fine_grained_only"),
        ({"accepted": {"acme/m": "dave"}}, "is not a list of texts"),
        ({"publishers": [{"repo": "acme/m", "issuer": "x", "claims": {"a": "b"}}]}, "not in issuers"),
        ({"issuers": {"x": {}}}, "has not one of pem and jwks"),
        ({"issuers": {"x": {"pem": "no"}}}, "it is not a public key in PEM form"),
        ({"issuers": {"x": {"jwks": {"keys": []}}}}, "it is not a JWK set"),
    ],
)
def test_malformed_tables(tmp_path: Path, document: dict[str, object], message: str) -> None:
    from hubpub.core.errors import UsageError

    path = tmp_path / "accounts.json"
    path.write_text(json.dumps(document))
    with pytest.raises(UsageError) as caught:
        load_accounts(path)
    assert message in caught.value.message


def test_nothing_declared_is_nobody() -> None:
    assert AccountsFile().accounts().identify("hf_abc") is None
