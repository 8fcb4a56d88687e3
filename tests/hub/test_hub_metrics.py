"""`/metrics`: right figures in Prometheus's text format, and nothing in them that is nobody's business."""

from __future__ import annotations

import re

import pytest
from huggingface_hub import get_session
from support.running_hub import ALICE, TestHub

SAMPLE = re.compile(r'(\w+)(?:\{((?:\w+="[^"\\\n]*",?)*)\})? (\d+(?:\.\d+)?)')


def figures(hub: TestHub) -> dict[str, float]:
    """The samples by name and labels. Fails on a line that is no sample and no comment."""
    answer = get_session().get(f"{hub.endpoint}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found: dict[str, float] = {}
    for line in answer.text.splitlines():
        if not line.startswith(("# HELP ", "# TYPE ")):
            match = SAMPLE.fullmatch(line)
            assert match, line
            found[line.rpartition(" ")[0]] = float(match[3])
    return found


def test_counts_requests_bytes_and_seconds(hub: TestHub) -> None:
    api = hub.api()
    api.create_repo("alice/model")
    before = figures(hub)
    api.upload_file(path_or_fileobj=b"x" * 50_000, path_in_repo="a.txt", repo_id="alice/model")
    assert hub.read("alice/model", "a.txt") == b"x" * 50_000
    with pytest.raises(Exception, match="404"):
        api.model_info("alice/other")
    after = figures(hub)
    assert after['hubpub_requests_total{route="commit.make_commit",method="POST",code="200"}'] == 1
    assert after['hubpub_request_seconds_count{route="commit.make_commit"}'] == 1
    assert after['hubpub_request_seconds_bucket{route="commit.make_commit",le="+Inf"}'] == 1
    assert any('code="404"' in name for name in after)
    moved = {way: after[way] - before[way] for way in after if way.startswith("hubpub_body_bytes")}
    assert 65_000 < moved['hubpub_body_bytes_total{direction="in"}'] < 90_000  # base64 in a commit
    assert moved['hubpub_body_bytes_total{direction="out"}'] > 50_000
    assert after["hubpub_requests_active"] == 1  # the one that asks


def test_buckets_add_up(hub: TestHub) -> None:
    for _ in range(5):
        get_session().get(f"{hub.endpoint}/healthz")
    buckets = [
        n for name, n in figures(hub).items() if name.startswith('hubpub_request_seconds_bucket{route="admin.healthz"')
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 5


def test_names_of_repos_tokens_and_addresses_are_not_in_it(hub: TestHub) -> None:
    api = hub.api()
    api.create_repo("alice/topsecret", private=True)
    hub.python(
        "from huggingface_hub import HfApi\n"
        "HfApi().upload_file(path_or_fileobj=b'\\0' * 99, path_in_repo='hidden.bin', repo_id='alice/topsecret')",
        env={"HF_HUB_DISABLE_XET": "1"},
    )
    get_session().request("ODD", f"{hub.endpoint}/alice/topsecret%7F")
    hub.hub.faults("whoami: drop")
    with pytest.raises(Exception, match=r"(?i)disconnect|reset"):
        api.whoami()
    text = get_session().get(f"{hub.endpoint}/metrics").text
    for secret in ("topsecret", "alice", ALICE, "hidden", "/lfs/", "ODD"):
        assert secret not in text
    assert 'code="0"' in text
