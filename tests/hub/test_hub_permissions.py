"""Who may do what: users, roles in an organisation, tokens, private and gated repos."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError
from support.running_hub import ALICE, BOB, CAROL, READER, TestHub

from hubpub.hub import Token

DAVE = "hf_dave"


@pytest.fixture
def hub(hub: TestHub) -> TestHub:
    """With a stranger, and repos of every kind."""
    hub.hub.accounts.add_token(Token.of(DAVE, "dave"))
    alice = hub.api()
    alice.create_repo("acme/open")
    alice.create_repo("acme/secret", private=True)
    alice.create_repo("acme/gated")
    alice.update_repo_settings("acme/gated", gated="auto")
    hub.api(CAROL).create_repo("acme/carols", private=True)
    return hub


def commit(api: HfApi, repo: str, *, create_pr: bool = False) -> None:
    operations = [CommitOperationAdd("a.txt", b"a")]
    api.create_commit(repo, operations, commit_message="m", create_pr=create_pr)


def outcome(action: Callable[[], object]) -> str:
    try:
        action()
    except GatedRepoError:
        return "gated"
    except RepositoryNotFoundError:
        return "not found"
    except HfHubHTTPError as error:
        return str(error.response.status_code)
    return "ok"


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        #         open: read  write  secret: read  write     gated: read  carols: write  create in acme, in alice
        (ALICE, ["ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok"]),
        (READER, ["ok", "403", "ok", "403", "ok", "403", "403", "403"]),
        (BOB, ["ok", "403", "ok", "403", "ok", "403", "403", "403"]),
        (CAROL, ["ok", "403", "ok", "403", "ok", "ok", "ok", "403"]),
        (DAVE, ["ok", "403", "not found", "not found", "gated", "not found", "403", "403"]),
        (False, ["ok", "401", "not found", "not found", "gated", "not found", "401", "401"]),
    ],
    ids=["admin", "admin's read token", "reader", "contributor", "stranger", "nobody"],
)
def test_matrix(hub: TestHub, token: str | bool, expected: list[str]) -> None:
    api = hub.api(token)
    assert [
        outcome(lambda: hub.read("acme/open", ".gitattributes", token)),
        outcome(lambda: commit(api, "acme/open")),
        outcome(lambda: hub.read("acme/secret", ".gitattributes", token)),
        outcome(lambda: commit(api, "acme/secret")),
        outcome(lambda: hub.read("acme/gated", ".gitattributes", token)),
        outcome(lambda: commit(api, "acme/carols")),
        outcome(lambda: api.create_repo("acme/new")),
        outcome(lambda: api.create_repo("alice/new")),
    ] == expected


def test_auth_check(hub: TestHub) -> None:
    hub.api(BOB).auth_check("acme/secret")
    hub.api().auth_check("acme/secret", write=True)
    assert outcome(lambda: hub.api(BOB).auth_check("acme/secret", write=True)) == "403"
    assert outcome(lambda: hub.api(DAVE).auth_check("acme/secret")) == "not found"
    assert outcome(lambda: hub.api(DAVE).auth_check("acme/gated")) == "gated"
    assert outcome(lambda: hub.api(DAVE).auth_check("acme/nowhere")) == "not found"


def test_a_wrong_token_is_not_a_missing_repo(hub: TestHub) -> None:
    with pytest.raises(HfHubHTTPError, match="Invalid credentials in Authorization header") as refused:
        hub.api("hf_wrong").model_info("acme/open")
    assert refused.value.response.status_code == 401
    assert not isinstance(refused.value, RepositoryNotFoundError)


def test_who_may_read_may_propose(hub: TestHub) -> None:
    commit(hub.api(DAVE), "acme/open", create_pr=True)
    assert outcome(lambda: commit(hub.api(READER), "acme/open", create_pr=True)) == "403"
    assert outcome(lambda: commit(hub.api(DAVE), "acme/secret", create_pr=True)) == "not found"
    assert outcome(lambda: commit(hub.api(False), "acme/open", create_pr=True)) == "401"


def test_tokens_can_be_made_while_it_runs(hub: TestHub) -> None:
    assert hub.api(hub.hub.token("erin")).whoami()["name"] == "erin"
    assert outcome(lambda: commit(hub.api(hub.hub.token("alice", "read")), "acme/open")) == "403"


def test_listings_show_what_one_may_see(hub: TestHub) -> None:
    def seen(token: str | bool) -> set[str]:
        return {model.id for model in hub.api(token).list_models(author="acme")}

    assert seen(BOB) == {"acme/open", "acme/secret", "acme/gated", "acme/carols"}
    assert seen(DAVE) == seen(False) == {"acme/open", "acme/gated"}


def test_visibility_can_change(hub: TestHub) -> None:
    hub.api().update_repo_settings("acme/secret", visibility="public")
    assert hub.api(False).model_info("acme/secret").private is False
    assert outcome(lambda: hub.api(BOB).update_repo_settings("acme/open", visibility="private")) == "403"


def test_only_owners_delete(hub: TestHub) -> None:
    assert outcome(lambda: hub.api(BOB).delete_repo("acme/open")) == "403"
    assert outcome(lambda: hub.api(DAVE).delete_repo("acme/secret")) == "not found"
    hub.api(CAROL).delete_repo("acme/carols")
    assert not hub.api().repo_exists("acme/carols")


def test_a_user_owns_the_namespace_of_that_name(hub: TestHub) -> None:
    hub.api(DAVE).create_repo("own")
    commit(hub.api(DAVE), "dave/own")
    assert outcome(lambda: commit(hub.api(), "dave/own")) == "403"


@pytest.mark.parametrize("name", ["acme/.git", "acme/a--b", "acme/..", "api/x", "acme/x.git", "cas/x"])
def test_names_that_no_repo_can_have(hub: TestHub, name: str) -> None:
    from huggingface_hub import get_session

    namespace, _, repo = name.partition("/")
    body = {"name": repo, "organization": namespace}
    headers = {"Authorization": f"Bearer {ALICE}"}
    answer = get_session().post(f"{hub.endpoint}/api/repos/create", json=body, headers=headers)
    assert answer.status_code == 400
