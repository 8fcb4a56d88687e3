"""Trusted publishers: an id token of a CI job for a short-lived token of one repo."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import support.client_env  # noqa: F401  before huggingface_hub
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from huggingface_hub import CommitOperationAdd, HfApi, get_session
from huggingface_hub.errors import HfHubHTTPError
from support.command import CommandHub

from hubpub.hub import load_accounts, parse_org, parse_token, running

ISSUER, OTHER = "https://ci.example.org", "https://other.example.org"
OWNER = "hf_owner"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[CommandHub]:
    """A hub that knows two issuers, one by a JWK set in a file, one by a key in PEM form."""
    jwk = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA_KEY.public_key())), "kid": "k1", "use": "sig"}
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [jwk]}))
    pem = EC_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    (tmp_path / "accounts.toml").write_text(
        f"""
        [issuers."{ISSUER}"]
        jwks = "jwks.json"
        [issuers."{OTHER}"]
        pem = '''{pem}'''
        [[publishers]]
        repo = "acme/model"
        issuer = "{ISSUER}"
        claims = {{ repository = "acme/training", ref = "refs/heads/main" }}
        [[publishers]]
        repo = "datasets/acme/data"
        issuer = "{OTHER}"
        claims = {{ sub = "pipeline" }}
        [[publishers]]
        repo = "acme/absent"
        issuer = "{ISSUER}"
        claims = {{ repository = "acme/training" }}
        """
    )
    with running(
        tmp_path / "hub",
        accounts=load_accounts(tmp_path / "accounts.toml"),
        tokens=[parse_token(f"{OWNER}=alice")],
        orgs=[parse_org("acme=alice:admin")],
    ) as server:
        (tmp_path / "home").mkdir()
        found = CommandHub(server, tmp_path / "home")
        found.api(OWNER).create_repo("acme/model", private=True)
        found.api(OWNER).create_repo("acme/other", private=True)
        found.api(OWNER).create_repo("acme/data", repo_type="dataset")
        yield found


def claims(hub: CommandHub, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    usual = {
        "iss": ISSUER,
        "aud": hub.endpoint,
        "iat": now,
        "exp": now + 300,
        "repository": "acme/training",
        "ref": "refs/heads/main",
    }
    return {key: value for key, value in {**usual, **changes}.items() if value is not None}


def id_token(hub: CommandHub, **changes: Any) -> str:
    return jwt.encode(claims(hub, **changes), RSA_KEY, "RS256", headers={"kid": "k1"})


def exchange(hub: CommandHub, token: str, resource: str = "acme/model", **changes: Any) -> tuple[int, dict[str, Any]]:
    body = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        "subject_token": token,
        "resource": resource,
        **changes,
    }
    answer = get_session().post(f"{hub.endpoint}/oauth/token", json=body)
    return answer.status_code, answer.json()


def status(action: Callable[[], object]) -> int:
    try:
        action()
    except HfHubHTTPError as error:
        return int(error.response.status_code)
    return 200


def test_a_job_gets_a_token_of_one_repo_and_no_more(hub: CommandHub) -> None:
    code, answer = exchange(hub, id_token(hub))
    assert code == 200
    text = answer.pop("access_token")
    assert text.startswith("hf_jwt_")
    assert answer == {
        "token_type": "bearer",
        "expires_in": 3600,
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
    }
    api = hub.api(text)
    api.create_commit("acme/model", [CommitOperationAdd("a.bin", b"\0" * 100)], commit_message="from a job")
    add = [CommitOperationAdd("b.txt", b"b")]
    assert hub.read("acme/model", "a.bin", text) == b"\0" * 100
    author = hub.api(OWNER).list_repo_commits("acme/model")[0].authors
    assert author == ["acme"]
    assert status(lambda: api.create_tag("acme/model", tag="v1")) == 200
    assert status(lambda: api.create_repo("acme/new")) == 401
    assert status(lambda: api.create_repo("acme/model", exist_ok=True)) == 200
    assert status(lambda: api.model_info("acme/other")) == 404
    assert status(lambda: api.create_commit("acme/other", add, commit_message="m")) == 404
    assert status(lambda: api.create_commit("acme/data", add, commit_message="m", repo_type="dataset")) == 403
    assert status(lambda: api.update_repo_settings("acme/model", visibility="public")) == 403
    assert status(lambda: api.delete_repo("acme/model")) == 403
    me = api.whoami()
    assert (me["type"], me["auth"]["resource"]["sub"]) == ("app", "acme/model")
    assert me["scope"]["entities"][0]["name"] == "acme/model"
    assert me["auth"]["expiresAt"].endswith("Z")
    hub.hub.revoke(text)
    assert status(api.whoami) == 401


def test_a_key_in_pem_form_and_a_dataset(hub: CommandHub) -> None:
    token = jwt.encode(claims(hub, iss=OTHER, sub="pipeline"), EC_KEY, "ES256")
    code, answer = exchange(hub, token, "datasets/acme/data")
    assert code == 200
    api = hub.api(answer["access_token"])
    api.create_commit("acme/data", [CommitOperationAdd("a", b"a")], commit_message="m", repo_type="dataset")


@pytest.mark.parametrize(
    ("changes", "resource", "why"),
    [
        ({"exp": int(time.time()) - 3600}, "acme/model", "has expired"),
        ({"exp": None}, "acme/model", "a claim is missing or wrong"),
        ({"aud": "https://huggingface.co"}, "acme/model", "another audience"),
        ({"aud": None}, "acme/model", "a claim is missing or wrong"),
        ({"nbf": int(time.time()) + 3600}, "acme/model", "a claim is missing or wrong"),
        ({"iss": "https://evil.example.org"}, "acme/model", "an issuer that this hub does not know"),
        ({"iss": OTHER}, "acme/model", "the signature of the id token is not the issuer's"),
        ({"ref": "refs/heads/dev"}, "acme/model", "the claim ref is not the configured one"),
        ({"repository": None}, "acme/model", "the claim repository is not the configured one"),
        ({}, "acme/other", "not one of a trusted publisher of acme/other"),
        ({}, "datasets/acme/model", "not one of a trusted publisher of datasets/acme/model"),
        ({}, "acme/absent", "there is no repo acme/absent"),
    ],
)
def test_what_an_id_token_must_prove(hub: CommandHub, changes: dict[str, Any], resource: str, why: str) -> None:
    code, answer = exchange(hub, id_token(hub, **changes), resource)
    assert (code, answer["error"]) == (400, "invalid_grant")
    assert why in answer["error_description"]
    assert "access_token" not in answer


def test_forged_id_tokens(hub: CommandHub) -> None:
    said = claims(hub)
    genuine = id_token(hub)
    head, body, signature = genuine.split(".")
    public = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    forged = [
        jwt.encode(said, STRANGER_KEY, "RS256", headers={"kid": "k1"}),
        jwt.encode(said, None, "none", headers={"kid": "k1"}),
        jwt.encode(said, EC_KEY, "ES256", headers={"kid": "k1"}),
        # The public key taken for the secret of an HMAC.
        _hmac_signed(said, public),
        f"{head}.{body}.{'A' * len(signature)}",
        jwt.encode(said, RSA_KEY, "RS256", headers={"kid": "k2"}),
        "no.jwt",
        "",
        "x" * 100_000,
    ]
    for token in forged:
        code, answer = exchange(hub, token)
        assert (code, answer["error"]) == (400, "invalid_grant")


def test_an_id_token_that_is_no_unicode(hub: CommandHub) -> None:
    body = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        "subject_token": "\ud800.a.b",
        "resource": "acme/model",
    }
    headers = {"Content-Type": "application/json"}
    answer = get_session().post(f"{hub.endpoint}/oauth/token", content=json.dumps(body).encode(), headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def _hmac_signed(said: dict[str, Any], secret: bytes) -> str:
    import base64
    import hmac

    def encoded(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    header = {"alg": "HS256", "kid": "k1"}
    text = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(said).encode())}"
    return f"{text}.{encoded(hmac.new(secret, text.encode(), 'sha256').digest())}"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:access_token"}, "invalid_request"),
        ({"subject_token": 7}, "invalid_request"),
        ({"resource": "alice"}, "invalid_target"),
        ({"resource": "../acme/model"}, "invalid_target"),
    ],
)
def test_other_exchanges(hub: CommandHub, changes: dict[str, Any], error: str) -> None:
    resource = changes.pop("resource", "acme/model")
    code, answer = exchange(hub, id_token(hub), resource, **changes)
    assert (code, answer["error"]) == (400, error)


CLIENT = """
from huggingface_hub import CommitOperationAdd, HfApi, get_token
api = HfApi()
assert get_token().startswith("hf_jwt_")
add = [CommitOperationAdd("w.safetensors", b"\\0" * 100_000), CommitOperationAdd("config.json", b"{}")]
print(api.create_commit("acme/model", add, commit_message="keyless").oid)
"""


@pytest.mark.parametrize("xet", ["0", "1"])
def test_the_real_client_publishes_without_a_token(hub: CommandHub, xet: str) -> None:
    env = {"HF_OIDC_RESOURCE": "acme/model", "HF_OIDC_ID_TOKEN": id_token(hub), "HF_HUB_DISABLE_XET": xet}
    oid = hub.python(CLIENT, env=env).strip()
    assert HfApi(endpoint=hub.endpoint, token=OWNER).model_info("acme/model").sha == oid


def test_hubpub_push_publishes_without_a_token(hub: CommandHub, plain_model: Path) -> None:
    env = {"HF_OIDC_RESOURCE": "acme/model", "HF_OIDC_ID_TOKEN": id_token(hub)}
    before = hub.api(OWNER).model_info("acme/model").sha
    run = hub.hubpub("push", plain_model, "--repo-id", "acme/model", token="", **env)
    assert run.code == 0, run.stdout + run.stderr
    assert hub.api(OWNER).model_info("acme/model").sha != before
    refused = hub.hubpub("push", plain_model, "--repo-id", "acme/other", token="", **env)
    assert (refused.code, "HF_OIDC_RESOURCE is acme/model" in refused.stderr) == (2, True), refused.stderr
