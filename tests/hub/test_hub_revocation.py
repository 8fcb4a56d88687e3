"""What a token was given for ends with it: CAS tokens, and the addresses of uploads and downloads."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import support.client_env  # noqa: F401  before huggingface_hub
from huggingface_hub import CommitOperationAdd, get_session
from support.running_hub import ALICE, StartHub, TestHub

from hubpub.hub import Limits, Org, Role

CONTENT = bytes(range(256)) * 10_000
OID = hashlib.sha256(CONTENT).hexdigest()
NOISE = os.urandom(300_000)


def ask(method: str, url: str, token: str | None = None, **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return get_session().request(method, url, headers=headers, **more)


def batch(hub: TestHub, token: str | None, operation: str, oid: str = OID, *transfers: str) -> dict[str, Any]:
    body = {
        "operation": operation,
        "transfers": list(transfers or ["basic"]),
        "objects": [{"oid": oid, "size": len(CONTENT)}],
    }
    answer = ask("POST", f"{hub.endpoint}/acme/model.git/info/lfs/objects/batch", token, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["objects"][0]
    return found


def cas(hub: TestHub, token: str | None, kind: str) -> tuple[str, str]:
    """The address of the CAS and a token for it."""
    suffix = "?create_pr=1" if kind == "write" else ""
    answer = ask("GET", f"{hub.endpoint}/api/models/acme/model/xet-{kind}-token/main{suffix}", token)
    assert answer.status_code == 200, answer.text
    return answer.json()["casUrl"], answer.json()["accessToken"]


def is_in(hub: TestHub, oid: str = OID) -> bool:
    return any((hub.hub.root / "repos" / "models" / "acme" / "model" / "lfs").glob(f"*/{oid}"))


@pytest.fixture
def hub(start_hub: StartHub) -> TestHub:
    hub = start_hub(limits=Limits(multipart_from=200_000, part=1 << 20))
    hub.api().create_repo("acme/model")
    hub.api().create_commit("acme/model", [CommitOperationAdd("xet.bin", NOISE)], commit_message="xet")
    return hub


def revoke(hub: TestHub, token: str) -> None:
    hub.hub.revoke(token)


def take_the_right(hub: TestHub, _: str) -> None:
    """Of a member to see the repo, so also to propose to it."""
    hub.api().update_repo_settings("acme/model", private=True)
    hub.hub.accounts.add_org(Org("acme", {"alice": Role.ADMIN}))


def delete_the_repo(hub: TestHub, _: str) -> None:
    hub.api().delete_repo("acme/model")


def expire(_: TestHub, __: str) -> None:
    time.sleep(2)


End = Callable[[TestHub, str], None]
ENDS = pytest.mark.parametrize("end", [revoke, expire, take_the_right, delete_the_repo])


def member(hub: TestHub, end: End) -> str:
    hub.hub.accounts.add_org(Org("acme", {"alice": Role.ADMIN, "wendy": Role.WRITE}))
    return hub.hub.token("wendy", expires_in=2 if end is expire else None)


@ENDS
def test_addresses_of_uploads_end(hub: TestHub, end: End) -> None:
    token = member(hub, end)
    whole = batch(hub, token, "upload")["actions"]
    parts = batch(hub, token, "upload", OID, "multipart")["actions"]
    numbered = parts["upload"]["header"]
    assert ask("PUT", numbered["1"], content=CONTENT[: 1 << 20]).status_code == 200
    end(hub, token)
    for method, url, body in (
        ("PUT", whole["upload"]["href"], CONTENT),
        ("POST", whole["verify"]["href"], b"{}"),
        ("PUT", numbered["2"], CONTENT[1 << 20 : 2 << 20]),
        ("POST", parts["upload"]["href"], b"{}"),
    ):
        answer = ask(method, url, content=body)
        assert answer.status_code == 403
        assert "may not use it any more" in answer.headers["X-Error-Message"]
        assert answer.json()["error"] == answer.headers["X-Error-Message"]
    assert not is_in(hub)


@ENDS
def test_cas_tokens_end(hub: TestHub, end: End) -> None:
    token = member(hub, end)
    url, writes = cas(hub, token, "write")
    _, reads = cas(hub, token, "read")
    file = xet_file(hub)
    assert ask("POST", f"{url}/v1/xorbs/default/{'0' * 64}", writes, content=b"no xorb").status_code == 400
    for kind in (reads, writes):
        assert ask("GET", f"{url}/v2/reconstructions/{file}", kind).status_code == 200
    address = xorb_address(url, reads, file)
    assert ask("GET", address).status_code == 200
    end(hub, token)
    for method, path, kind in (
        ("POST", f"v1/xorbs/default/{'0' * 64}", writes),
        ("POST", "v1/shards", writes),
        ("POST", "v2/shards", writes),
        ("GET", f"v1/reconstructions/{file}", reads),
        ("GET", f"v2/reconstructions/{file}", writes),
    ):
        assert ask(method, f"{url}/{path}", kind, content=b"").status_code == 401
    assert ask("GET", address).status_code == 403


def xet_file(hub: TestHub) -> str:
    found = hub.api().get_paths_info("acme/model", ["xet.bin"])[0].xet_hash  # type: ignore[union-attr]
    assert found is not None
    return found


def xorb_address(url: str, token: str, file: str) -> str:
    (fetches,) = ask("GET", f"{url}/v2/reconstructions/{file}", token).json()["xorbs"].values()
    return str(fetches[0]["url"])


def test_revoked_amid_a_body(hub: TestHub) -> None:
    token = hub.hub.token("alice")
    url = urlsplit(batch(hub, token, "upload")["actions"]["upload"]["href"])
    connection = http.client.HTTPConnection(url.netloc)
    connection.putrequest("PUT", url.path)
    connection.putheader("Content-Length", str(len(CONTENT)))
    connection.endheaders(CONTENT[:1000])
    time.sleep(0.3)
    hub.hub.revoke(token)
    connection.send(CONTENT[1000:])
    assert connection.getresponse().status == 403
    connection.close()
    assert not is_in(hub)
    assert not (hub.hub.root / "lfs" / OID[:2] / OID).exists()


def test_another_token_of_the_same_user_goes_on(hub: TestHub) -> None:
    first, second = hub.hub.token("alice"), hub.hub.token("alice")
    url = batch(hub, second, "upload")["actions"]["upload"]["href"]
    hub.hub.revoke(first)
    assert ask("PUT", url, content=CONTENT).status_code == 200
    assert is_in(hub)


def test_nobody_goes_on_reading_what_is_public(hub: TestHub) -> None:
    assert ask("PUT", batch(hub, ALICE, "upload")["actions"]["upload"]["href"], content=CONTENT).status_code == 200
    url, reads = cas(hub, None, "read")
    addresses = [
        batch(hub, None, "download")["actions"]["download"]["href"],
        xorb_address(url, reads, xet_file(hub)),
    ]
    assert ask("GET", addresses[0]).content == CONTENT
    assert [ask("GET", address).status_code for address in addresses] == [200, 200]
    # Under its new name too.
    hub.api().move_repo("acme/model", "acme/moved")
    assert [ask("GET", address).status_code for address in addresses] == [200, 200]
    hub.api().update_repo_settings("acme/moved", private=True)
    assert [ask("GET", address).status_code for address in addresses] == [403, 403]


def test_proposing_to_a_gated_repo_is_not_reading_it(hub: TestHub) -> None:
    hub.api().update_repo_settings("acme/model", gated="manual")
    stranger = hub.hub.token("dave")
    url, writes = cas(hub, stranger, "write")
    assert ask("POST", f"{url}/v1/xorbs/default/{'0' * 64}", writes, content=b"no xorb").status_code == 400
    assert ask("GET", f"{url}/v2/reconstructions/{xet_file(hub)}", writes).status_code == 401


def test_what_is_signed_does_not_tell_a_token(hub: TestHub) -> None:
    import base64

    token = hub.hub.token("alice")
    _, reads = cas(hub, token, "read")
    head = reads.partition(".")[0]
    claims = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    assert token not in json.dumps(claims)
    for guess in (claims["by"], f"hf_{claims['by']}"):
        assert ask("GET", f"{hub.endpoint}/api/whoami-v2", guess).status_code == 401


@pytest.mark.parametrize(
    "number", ["0", "4", "x", "\u0663", "0000019", "000001" + "9" * 30, "000001" + "9" * 5000, "-1", "1.0", "01"]
)
def test_parts_that_there_are_not(hub: TestHub, number: str) -> None:
    href = batch(hub, ALICE, "upload", OID, "multipart")["actions"]["upload"]["header"]["1"]
    answer = ask("PUT", href.rpartition("/")[0] + f"/{number}", content=b"x")
    assert answer.status_code == 400
    assert answer.json()["error"] == "There is no such part"
