"""May this token publish there? Every refusal of the embedded hub, by the layer that it is of."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.running_hub import TestHub
from support.secrets_kept import keeps
from support.tiny_release import save_tiny

from hubpub.core.errors import AuthError, HubpubError, UsageError
from hubpub.core.rule import Depth
from hubpub.hub import Org, Role, Token, User, running
from hubpub.hub.access.fine_grained import Grants, Scope
from hubpub.publish.client import HubClient
from hubpub.publish.prepare import PushOptions, prepare
from hubpub.publish.push import push
from hubpub.publish.target import Target

OWNER = "hf_theTokenOfAliceWhoOwnsAll"
SECRETS: list[str] = []


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestHub]:
    """alice administers everything; dave has another role in each organisation."""
    tmp_path = tmp_path_factory.mktemp("layers")
    roles = {"acme": Role.WRITE, "readers": Role.READ, "contributors": Role.CONTRIBUTOR, "closed": Role.NO_ACCESS}
    orgs = [Org(name, {"alice": Role.ADMIN, "dave": role}) for name, role in roles.items()]
    strict = Org("strict", {"alice": Role.ADMIN, "dave": Role.WRITE}, fine_grained_only=True)
    hidden = Org("hidden", {"alice": Role.ADMIN, "dave": Role.WRITE}, public_repos=False)
    fine = Token.of("hf_alicesFineGrained", "alice", grants=Grants(everywhere=frozenset({"repo.write"})))
    with running(
        tmp_path / "hub",
        tokens=[Token.of(OWNER, "alice"), fine],
        orgs=[*orgs, strict, hidden],
        users=[User("bob"), User("dave", "Dave D.")],
    ) as server:
        found = TestHub(server, tmp_path / "home")
        for name in ("acme", "readers", "contributors", "closed", "hidden"):
            found.api(OWNER).create_repo(f"{name}/there", private=name == "hidden")
        found.api("hf_alicesFineGrained").create_repo("strict/there")
        yield found


def token_of(hub: TestHub, user: str, role: str = "write", **more: object) -> str:
    text = f"hf_{user}{len(SECRETS):04d}" + "S" * 24
    SECRETS.append(text)
    revoked = bool(more.pop("revoked", False))
    hub.hub.accounts.add_token(replace(Token.of(text, user, role, **more), revoked=revoked))  # type: ignore[arg-type]
    return text


def scopes(*given: tuple[str, str, str]) -> Grants:
    return Grants(tuple(Scope(kind, name, frozenset(what.split())) for kind, name, what in given))


def options(folder: Path, repo: str, **more: object) -> PushOptions:
    namespace, _, name = repo.partition("/")
    return PushOptions(folder, name, namespace=namespace, depth=Depth.QUICK, **more)  # type: ignore[arg-type]


def refused(hub: TestHub, token: str, repo: str, tmp_path: Path, **more: object) -> HubpubError:
    """The refusal of a push; nothing was made by it."""
    before = {model.id: model.sha for model in hub.api(OWNER).list_models(expand=["sha"])}
    said: list[str] = []
    with pytest.raises(HubpubError) as caught:
        push(
            options(save_tiny(tmp_path / "model", "a"), repo, **more),
            HubClient(Target(hub.endpoint, token, "HF_TOKEN")),
            said.append,
        )
    keeps([*SECRETS, OWNER], caught.value, *said)
    assert {model.id: model.sha for model in hub.api(OWNER).list_models(expand=["sha"])} == before
    return caught.value


WRITE_ALL = scopes(("org", "acme", "repo.write"))

CASES = {
    "read token, existing": (
        "dave",
        {"role": "read"},
        "acme/there",
        "token",
        "the token of dave, from HF_TOKEN, can only read",
    ),
    "read token, new": (
        "dave",
        {"role": "read"},
        "acme/new",
        "token",
        "the token of dave, from HF_TOKEN, can only read",
    ),
    "expired": ("dave", {"expires": time.time() - 5}, "acme/there", "token", "it has expired"),
    "revoked": ("dave", {"revoked": True}, "acme/there", "token", "it has been revoked"),
    "role read, existing": ("dave", {}, "readers/there", "role", "has the role read in readers"),
    "role read, new": ("dave", {}, "readers/new", "role", "has the role read in readers"),
    "role no_access, existing": ("dave", {}, "closed/there", "role", "has the role no_access in closed"),
    "contributor, another's repo": ("dave", {}, "contributors/there", "role", "only to repos of one's own making"),
    "stranger, existing": ("bob", {}, "acme/there", "role", "bob is not a member of acme"),
    "stranger, new": ("bob", {}, "acme/new", "role", "bob is not a member of acme"),
    "another user's namespace": ("dave", {}, "alice/new", "role", "dave is not a member of alice"),
    "unknown organisation": ("dave", {}, "nowhere/new", "role", "there is no such organisation"),
    "another repo's scope, existing": (
        "dave",
        {"grants": scopes(("model", "acme/other", "repo.write"))},
        "acme/there",
        "scope",
        "has no repo.write for acme/there",
    ),
    "one repo's scope, new": (
        "dave",
        {"grants": scopes(("model", "acme/new", "repo.write"))},
        "acme/new",
        "scope",
        "has no repo.write for acme",
    ),
    "another organisation's scope": (
        "dave",
        {"grants": scopes(("org", "readers", "repo.write"))},
        "acme/there",
        "scope",
        "has no repo.write for acme/there",
    ),
    "fine-grained, read only": (
        "dave",
        {"grants": scopes(("org", "acme", "repo.content.read"))},
        "acme/there",
        "scope",
        "has no repo.write for acme/there",
    ),
    "fine-grained, without the role": (
        "dave",
        {"grants": scopes(("org", "readers", "repo.write"))},
        "readers/there",
        "role",
        "has the role read in readers",
    ),
    "organisation takes fine-grained only, existing": (
        "dave",
        {},
        "strict/there",
        "organisation policy",
        "only accepts fine-grained tokens",
    ),
    "organisation takes fine-grained only, new": (
        "dave",
        {},
        "strict/new",
        "organisation policy",
        "only accepts fine-grained tokens",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_refusal_names_its_layer(hub: TestHub, tmp_path: Path, case: str) -> None:
    user, token, repo, layer, words = CASES[case]
    error = refused(hub, token_of(hub, user, **token), repo, tmp_path)  # type: ignore[arg-type]
    assert isinstance(error, AuthError)
    assert (error.layer, words in error.message, bool(error.next_step)) == (layer, True, True), error.message
    offers = "--pr" in error.next_step
    assert offers == (repo.endswith("/there") and layer != "token")


@pytest.mark.parametrize(
    ("user", "grants", "repo"),
    [
        ("dave", None, "acme/there"),
        ("dave", None, "acme/new"),
        ("dave", None, "dave/new"),
        ("dave", None, "contributors/new"),
        ("dave", scopes(("model", "acme/there", "repo.write")), "acme/there"),
        ("dave", WRITE_ALL, "acme/there"),
        ("dave", WRITE_ALL, "acme/newer"),
        ("dave", scopes(("org", "strict", "repo.write")), "strict/there"),
        ("dave", scopes(("user", "dave", "repo.write")), "dave/newer"),
        ("dave", Grants(everywhere=frozenset({"repo.write"})), "acme/newest"),
    ],
)
def test_what_may_be_published(hub: TestHub, tmp_path: Path, user: str, grants: Grants | None, repo: str) -> None:
    client = HubClient(Target(hub.endpoint, token_of(hub, user, grants=grants), "HF_TOKEN"))
    receipt = push(options(save_tiny(tmp_path / "model", str(grants)), repo), client, lambda _: None)
    assert receipt.published


def test_a_token_that_may_not_is_refused_before_a_byte_is_hashed(hub: TestHub, tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "model", "a")
    folder.joinpath("model.safetensors").chmod(0o600)
    with folder.joinpath("model.safetensors").open("r+b") as file:
        file.truncate(40 << 30)  # sparse; to hash it takes minutes
    deep = replace(options(folder, "readers/there", ignore=("ALL",)), depth=Depth.DEEP)
    started = time.monotonic()
    with pytest.raises(AuthError, match="has the role read"):
        prepare(deep, HubClient(Target(hub.endpoint, token_of(hub, "dave"), "HF_TOKEN")), lambda _: None)
    assert time.monotonic() - started < 20


def test_an_organisation_without_public_repos(hub: TestHub, tmp_path: Path) -> None:
    """Only the hub knows, and only when it is asked to show the repo: the release is there, and stays private."""
    client = HubClient(Target(hub.endpoint, token_of(hub, "dave"), "HF_TOKEN"))
    with pytest.raises(AuthError, match="verified, and still private") as caught:
        push(options(save_tiny(tmp_path / "model", "a"), "hidden/new"), client, lambda _: None)
    assert caught.value.layer == "organisation policy"
    assert "--private" in caught.value.next_step
    assert hub.api(OWNER).model_info("hidden/new").private
    keeps(SECRETS, caught.value)
    receipt = push(options(tmp_path / "model", "hidden/new", private=True), client, lambda _: None)
    assert not receipt.published


def test_a_gated_repo_of_others(hub: TestHub, tmp_path: Path) -> None:
    hub.api(OWNER).update_repo_settings("acme/there", gated="manual")
    error = refused(hub, token_of(hub, "bob"), "acme/there", tmp_path)
    hub.api(OWNER).update_repo_settings("acme/there", gated=False)
    assert isinstance(error, AuthError)
    assert error.layer == "role"


def test_a_private_repo_of_others_is_not_told_of(hub: TestHub, tmp_path: Path) -> None:
    error = refused(hub, token_of(hub, "bob"), "hidden/there", tmp_path)
    assert "bob is not a member of hidden, or there is no such organisation" in error.message


def test_the_namespace_by_how_it_is_displayed(hub: TestHub, tmp_path: Path) -> None:
    token = token_of(hub, "dave")
    client = HubClient(Target(hub.endpoint, token, "HF_TOKEN"))
    folder = save_tiny(tmp_path / "model", "a")
    for wanted in ("ACME", "Acme", "a c m e"):
        plan = prepare(replace(options(folder, "x/there"), namespace=wanted), client, lambda _: None).plan
        assert plan.repo_id == "acme/there"
    with pytest.raises(AuthError) as near:
        prepare(replace(options(folder, "x/new"), namespace="contributers"), client, lambda _: None)
    assert "did you mean contributors?" in near.value.next_step
    assert "may publish to: acme, contributors, dave, hidden, strict" in near.value.next_step
    with pytest.raises(UsageError, match="no organisation of dave is called 'Some Company'"):
        prepare(replace(options(folder, "x/new"), namespace="Some Company"), client, lambda _: None)
