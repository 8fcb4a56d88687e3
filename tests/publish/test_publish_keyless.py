"""Keyless: a CI job, its service that signs id tokens, and a hub that exchanges them; the tokens are real ones."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from support.command import CommandHub, Run
from support.secrets_kept import keeps
from support.tiny_release import save_tiny

from hubpub.core.errors import AuthError, UsageError
from hubpub.core.rule import Depth
from hubpub.hub import load_accounts, parse_org, parse_token, running
from hubpub.publish.client import HubClient
from hubpub.publish.keyless import KeylessToken, id_token
from hubpub.publish.prepare import PushOptions
from hubpub.publish.push import push
from hubpub.publish.target import TokenWish, find_target

ISSUER = "https://ci.example.org"
OWNER = "hf_theTokenOfTheOwner"
REQUEST_TOKEN = "theTokenWithWhichTheJobAsksForItsIdToken"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Service:
    """What GitHub Actions is to a job: an address that signs, for whoever has the job's token."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=lambda: {"repository": "acme/training", "ref": "refs/heads/main"})
    signed: list[str] = field(default_factory=list)
    refuses: bool = False

    def sign(self, audience: str) -> str:
        now = int(time.time())
        said = {"iss": ISSUER, "aud": audience, "iat": now, "exp": now + 300, "n": len(self.signed), **self.claims}
        self.signed.append(jwt.encode(said, KEY, "RS256", headers={"kid": "k1"}))
        return self.signed[-1]

    @property
    def env(self) -> dict[str, str]:
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/token?api-version=2",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
        }


class Job:
    """A job that pushes, and whose hub takes its token no more once the test says so."""

    def __init__(self, hub: CommandHub, service: Service) -> None:
        self.hub, self.service = hub, service
        self._target = find_target(hub.endpoint, service.env, wish=TokenWish(keyless=True, repo_id="acme/model"))
        token = self._target.renewable
        assert isinstance(token, KeylessToken)
        self.token, self._now = token, 0.0
        token._clock = lambda: self._now

    def revoke(self, seconds_later: float) -> None:
        self.hub.hub.revoke(self.token.current())
        self._now = seconds_later

    def publishes(self, folder: Path, notify: Callable[[str], None]) -> bool:
        options = PushOptions(folder, "model", namespace="acme", depth=Depth.QUICK)
        return push(options, HubClient(self._target), notify).published


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            allowed = self.headers["Authorization"] == f"bearer {REQUEST_TOKEN}" and not found.refuses
            value = found.sign(query["audience"][0])
            body = json.dumps({"value": value} if allowed else {"error": f"no, {value}, {REQUEST_TOKEN}"}).encode()
            self.send_response(200 if allowed else 403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found.url = f"http://127.0.0.1:{server.server_port}"
        yield found
        server.shutdown()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[CommandHub]:
    jwk = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key())), "kid": "k1", "use": "sig"}
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [jwk]}))
    publishers = "".join(
        f'[[publishers]]\nrepo = "acme/{name}"\nissuer = "{ISSUER}"\n'
        'claims = { repository = "acme/training", ref = "refs/heads/main" }\n'
        for name in ("model", "absent")
    )
    (tmp_path / "accounts.toml").write_text(f'[issuers."{ISSUER}"]\njwks = "jwks.json"\n{publishers}')
    with running(
        tmp_path / "hub",
        accounts=load_accounts(tmp_path / "accounts.toml"),
        tokens=[parse_token(f"{OWNER}=alice")],
        orgs=[parse_org("acme=alice:admin")],
    ) as server:
        (tmp_path / "home").mkdir()
        found = CommandHub(server, tmp_path / "home")
        found.api(OWNER).create_repo("acme/model")
        found.api(OWNER).create_repo("acme/other")
        yield found


def says(hub: CommandHub, service: Service, *arguments: str | Path, **env: str) -> Run:
    """Run the command as the job would: no token anywhere. Nothing secret is in what it says."""
    run = hub.hubpub(*arguments, token="", **{**service.env, **env})
    keeps([*service.signed, REQUEST_TOKEN, OWNER, "hf_jwt_"], run)
    assert not re.search(r"eyJ[\w-]{8}", run.stdout + run.stderr)
    return run


def test_a_job_publishes_with_nothing_but_who_it_is(hub: CommandHub, service: Service, tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "model", "a")
    run = says(hub, service, "push", folder, "--repo", "acme/model", "--keyless", "--tag", "v1", "--json")
    receipt = json.loads(run.stdout)
    assert (run.code, receipt["published"], receipt["tag"]) == (0, True, "v1"), run.stderr
    assert hub.api(OWNER).list_repo_commits("acme/model")[0].authors == ["acme"]
    again = says(hub, service, "push", folder, "--repo", "acme/model", HF_OIDC_RESOURCE="acme/model")
    assert again.code == 0, again.stderr
    assert "nothing to publish" in again.stdout
    shown = says(hub, service, "whoami", "--keyless", "--repo", "acme/model")
    assert shown.code == 0, shown.stderr
    assert "keyless, for one repo, from keyless exchange (GitHub Actions), until 20" in shown.stdout
    assert "may publish to  acme/model" in shown.stdout
    told = json.loads(says(hub, service, "whoami", "--json", HF_OIDC_RESOURCE="acme/model").stdout)
    assert (told["kind"], told["may_publish_to"], told["may_publish_to_repos"]) == ("app", [], ["acme/model"])


def test_a_job_creates_no_repo(hub: CommandHub, service: Service, tmp_path: Path) -> None:
    run = says(hub, service, "push", save_tiny(tmp_path / "model", "a"), "--repo", "acme/absent", "--keyless")
    assert run.code == 3
    assert "there is no repo acme/absent: create it before a job can publish to it" in run.stderr
    assert not hub.api(OWNER).repo_exists("acme/absent")


@pytest.mark.parametrize(
    ("claims", "repo", "why"),
    [
        ({"repository": "mallory/training"}, "acme/model", "the claim repository is not the configured one"),
        ({"ref": "refs/heads/dev"}, "acme/model", "the claim ref is not the configured one"),
        ({"exp": 1}, "acme/model", "has expired"),
        ({"iss": "https://evil.example.org"}, "acme/model", "an issuer that this hub does not know"),
        ({}, "acme/other", "not one of a trusted publisher of acme/other"),
    ],
)
def test_a_job_that_is_another_than_the_configured_one(
    hub: CommandHub, service: Service, tmp_path: Path, claims: dict[str, Any], repo: str, why: str
) -> None:
    service.claims |= claims
    head = hub.api(OWNER).model_info(repo).sha
    run = says(hub, service, "push", save_tiny(tmp_path / "model", "a"), "--repo", repo, "--keyless", "--json")
    error = json.loads(run.stdout)
    assert (run.code, error["layer"], why in error["message"]) == (3, "token", True), error
    assert "compare the publisher" in error["next_step"]
    assert hub.api(OWNER).model_info(repo).sha == head


def test_a_job_without_the_right_to_an_id_token(hub: CommandHub, service: Service, tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "model", "a")
    push = ("push", folder, "--repo", "acme/model", "--keyless")
    run = says(hub, service, *push, ACTIONS_ID_TOKEN_REQUEST_TOKEN="")
    assert run.code == 3
    assert "permissions: id-token: write" in run.stderr
    service.refuses = True
    run = says(hub, service, *push)
    assert (run.code, "the job has no id token" in run.stderr) == (3, True)
    run = hub.hubpub("push", folder, "--repo", "acme/model", token="", **service.env)
    assert (run.code, "give --keyless" in run.stderr) == (3, True)
    run = hub.hubpub(*push, token="", HF_OIDC_ID_TOKEN=service.sign("https://another.example.org"))
    assert (run.code, "is not an id token for http://127.0.0.1" in run.stderr) == (3, True)
    keeps(service.signed, run)


def test_services_that_hand_the_id_token_over_at_once(
    hub: CommandHub, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitLab has it in a variable that is named after the hub, other services in `HF_OIDC_ID_TOKEN`."""
    for name in service.env:
        monkeypatch.delenv(name, raising=False)
    signed = service.sign(hub.endpoint)
    token = KeylessToken(hub.endpoint, "acme/model", {"HF_OIDC_ID_TOKEN": signed})
    assert hub.api(token.current()).whoami()["auth"]["resource"]["sub"] == "acme/model"
    monkeypatch.setenv("GITLAB_CI", "true")
    with pytest.raises(AuthError) as caught:
        id_token(hub.endpoint, {"GITLAB_CI": "true"})
    name = re.search(r"id_tokens: (\w+): aud", caught.value.next_step)
    assert name is not None
    monkeypatch.setenv(name[1], signed)
    assert id_token(hub.endpoint, {"GITLAB_CI": "true"}) == signed


def test_without_the_package(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "id", None)
    with pytest.raises(AuthError) as caught:
        id_token("https://hub.example.org", {"GITHUB_ACTIONS": "true"})
    assert caught.value.next_step == "pip install 'hubpub[keyless]'"


def test_a_token_is_renewed_before_it_expires(
    hub: CommandHub, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in service.env.items():
        monkeypatch.setenv(name, value)
    now = [0.0]
    token = KeylessToken(hub.endpoint, "acme/model", service.env, clock=lambda: now[0])
    first = token.current()
    now[0] = 3299
    assert token.current() == first
    assert not token.renewed("hf_jwt_of_before") or token.current() == first
    now[0] = 3301
    second = token.current()
    assert second != first
    assert hub.api(second).whoami()["type"] == "app"
    assert not token.renewed(second)  # it is new, so it was not its age
    now[0] += 61
    assert token.renewed(second)
    assert token.current() != second
    assert len(service.signed) == 3
    keeps([first, second], repr(token))


@pytest.fixture
def job(hub: CommandHub, service: Service, monkeypatch: pytest.MonkeyPatch) -> Job:
    for name, value in service.env.items():
        monkeypatch.setenv(name, value)
    return Job(hub, service)


def test_a_push_outlives_its_token(job: Job, tmp_path: Path) -> None:
    """The hub stops taking the token once the preflight is through; the push goes on with a new one."""
    tokens: list[str] = []

    def expire(message: str) -> None:
        if "may publish to" in message:
            tokens.append(job.token.current())
            job.revoke(seconds_later=3500)

    assert job.publishes(save_tiny(tmp_path / "model", "a"), expire)
    assert tokens[0] != job.token.current()


def test_an_upload_that_is_refused_for_its_age_goes_on(job: Job, tmp_path: Path) -> None:
    """The token is fresh by its own account, and the hub takes it no more: it is fetched anew, once."""

    def refuse(message: str) -> None:
        if message.startswith("uploading"):
            job.revoke(seconds_later=61)

    assert job.publishes(save_tiny(tmp_path / "model", "b", weights=3_000), refuse)
    assert len(job.service.signed) == 2


def test_a_command_that_names_no_repo(hub: CommandHub, service: Service, tmp_path: Path) -> None:
    run = says(hub, service, "push", save_tiny(tmp_path / "model", "a"), "--keyless")
    assert run.code == UsageError.exit_code
    assert "--repo-id" in run.stderr
