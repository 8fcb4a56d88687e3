"""What hubs say when they refuse, in their own words: the layer that is named, and that no token comes back with it."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from support.secrets_kept import keeps

from hubpub.core.errors import AuthError, HubpubError
from hubpub.publish.client import HubClient
from hubpub.publish.http import Patience
from hubpub.publish.identity import identity_of
from hubpub.publish.preflight import check_may_publish
from hubpub.publish.target import Target

SECRET = "hf_theTokenThatTheHubSaysBack0123"
ID_TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL2h1YiJ9.c2lnbmF0dXJlc2lnbmF0dXJl"


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Any:
    def answer(status: int, body: Any, **headers: str) -> HubClient:
        said = {name.replace("_", "-"): value for name, value in headers.items()} | {"Content-Type": "application/json"}

        def answer_all(_: httpx2.Request) -> httpx2.Response:
            return httpx2.Response(status, headers=said, stream=httpx2.ByteStream(json.dumps(body).encode()))

        session = httpx2.Client(transport=httpx2.MockTransport(answer_all))
        monkeypatch.setattr("huggingface_hub.get_session", lambda: session)
        return HubClient(Target("https://hub.example.org", SECRET, "HF_TOKEN"), Patience(attempts=1))

    return answer


@pytest.mark.parametrize(
    ("status", "said", "layer", "next_step"),
    [
        (403, "This token needs to be approved by the organization acme", "organisation policy", "approve"),
        (403, "Your token has been revoked by the organization administrator", "organisation policy", "administrator"),
        (403, "acme forbids the creation of public models", "organisation policy", "--private"),
        (403, "You must enable multi-factor authentication", "organisation policy", "sign in"),
        (403, "A resource group is required", "organisation policy", "resource group"),
        (403, "Private repository storage limit reached, please upgrade", "quota", "free space"),
        (402, "Payment Required", "quota", "free space"),
        (403, "You have exceeded your storage", "quota", "free space"),
        (403, "you must use a write token to do this", "token", "write permission"),
        (403, "Access to this resource is disabled.", "repo", "staff"),
        (403, "your fine-grained token does not allow it", "scope", "repo.write"),
        (403, "You don't have the rights to create a model under the namespace acme", "role", "administrator"),
        (403, "No", None, "whoami"),
        (401, f"Invalid credentials: the token {SECRET} has expired", "token", "in place of this one"),
        (403, f"{SECRET} or {ID_TOKEN}", None, "whoami"),
    ],
)
def test_words_of_hubs(answering: Any, status: int, said: str, layer: str | None, next_step: str) -> None:
    # Without the words of the Hub, huggingface_hub takes a 401 for a repo that is not there.
    known = {"X_Error_Message": "Invalid credentials in Authorization header"} if status == 401 else {}
    client = answering(status, {"error": said}, **known)
    with pytest.raises(AuthError) as caught:
        client.check_write("acme/model")
    assert (caught.value.layer, next_step in caught.value.next_step) == (layer, True), caught.value.next_step
    keeps([SECRET, ID_TOKEN], caught.value)


def test_a_disabled_repo(answering: Any) -> None:
    for client in (
        answering(403, {}, X_Error_Message="Access to this resource is disabled."),
        answering(200, {"id": "acme/model", "sha": "0" * 40, "disabled": True}),
    ):
        with pytest.raises(AuthError, match="disabled") as caught:
            client.head("acme/model", "main")
        assert caught.value.layer == "repo"


def test_an_organisation_that_asks_for_more(answering: Any) -> None:
    """As the public Hub tells of it in whoami: https://huggingface.co/docs/hub/organizations-security"""
    body = {
        "name": "dave",
        "orgs": [
            {"name": "acme", "fullname": "Acme Research", "roleInOrg": "write", "securityRestrictions": ["mfa"]},
            {"name": "free", "roleInOrg": "write", "resourceGroups": [{"id": "1", "name": "lab", "role": "admin"}]},
            {"fullname": "has no name"},
            "not an organisation",
        ],
        "auth": {"accessToken": {"role": "write", "displayName": "laptop"}, "expiresAt": "2030-01-01T00:00:00.000Z"},
    }
    identity = identity_of(body)
    assert identity.open_namespaces() == ["dave", "free"]
    assert identity.organisations[1].groups == {"lab": "admin"}
    client = answering(403, {"error": "Forbidden"})
    for exists in (True, False):
        with pytest.raises(AuthError, match="acme lets nobody in without mfa") as caught:
            check_may_publish(client, identity, "acme/model", exists=exists)
        assert caught.value.layer == "organisation policy"


@pytest.mark.parametrize("body", [{"name": "a"}, {"name": "a", "auth": None, "orgs": None}, {"name": "a", "auth": []}])
def test_whoami_may_leave_out_anything(body: dict[str, Any]) -> None:
    identity = identity_of(body)
    assert (identity.name, identity.open_namespaces(), identity.token_kind) == ("a", ["a"], "of unknown role")


def test_a_refusal_of_nobody_knows_what_names_the_repo(answering: Any) -> None:
    client = answering(403, {"error": "No"})
    identity = identity_of({"name": "a", "orgs": [{"name": "acme", "roleInOrg": "admin"}]})
    with pytest.raises(HubpubError) as caught:
        check_may_publish(client, identity, "acme/model", exists=True)
    assert isinstance(caught.value, AuthError)
    assert caught.value.layer == "repo"
    assert "--pr" in caught.value.next_step
