"""Keys of more services, and what only looks like one. All keys are made up, and put together here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.judging import judge_folder

from hubpub.core.findings import Finding

HEX = "9f3c27d1a4be058691c7f2ad3e4b5c60"
MIXED = "R7pXj2LmYhD5sFgUa8EoIe1KtQwk9ZqTb3WvNcBzVd4H6nSyGxPfCuMlOiJrAe"
KEYS = {
    "google oauth": "GOCSPX-" + MIXED[:28],
    "sendgrid": "SG." + MIXED[:22] + "." + MIXED[:43],
    "databricks": "dapi" + HEX,
    "digitalocean": "dop_v1_" + HEX * 2,
    "xai": "xai-" + (MIXED * 2)[:80],
    "perplexity": "pplx-" + MIXED[:48],
    "fireworks": "fw_" + MIXED[:24],
    "alibaba": "LTAI" + MIXED[:20],
    "telegram": "821934750:AA" + MIXED[:33],
    "discord": "https://discord.com/api/webhooks/" + "918273645546372819" + "/" + (MIXED * 2)[:68],
    "azure": "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=" + (MIXED * 2)[:86] + "==",
    "comet": 'COMET_API_KEY = "' + MIXED[:25] + '"',
    "neptune": "neptune_api_token: " + (MIXED * 3)[:160],
    "kaggle": '{"username":"alice","key":"' + HEX + '"}',
    "password in an address": "postgres://alice:" + "k9ZqTb3WvNc" + "@db.acme.io:5432/runs",
    "gitlab": "glpat-" + MIXED[:20],
    "npm": "npm_" + MIXED[:36],
    "stripe": "sk_live_" + MIXED[:24],
    "groq": "gsk_" + MIXED[:52],
}
HARMLESS = {
    "address in documentation": "postgresql://user:password@host:5432/db and https://user:your-token@acme.io/x",
    "address with variables": "https://$USER:${TOKEN}@acme.io/x and https://user:<token>@acme.io and redis://:@localhost",
    "address with a port and a mail": "https://acme.io:8080/mail alice@acme.io",
    "local service": "mongodb://root:tiger123@localhost:27017",
    "masked": "https://alice:****************@acme.io/repo.git",
    "sha256 in a table": f"| model.bin | {HEX * 2} |",
    "kaggle dataset": "https://www.kaggle.com/datasets/alice/reviews (key findings below)",
    "dapi": "the dapi function, dapi_v2, dapi-0123",
    "fireworks": "fw_bw_graph fw_compiler fw_metadata_of_the_function",
    "git hash after comet": "comet_ml version 3.47, commit " + HEX,
    "webhook url of the docs": "https://discord.com/api/webhooks/ID/TOKEN",
}


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("file", ["notes.md", "run.ipynb", "configs/train.yaml"])
def test_a_key_is_named_and_not_shown(name: str, file: str, model: Path) -> None:
    (model / "configs").mkdir()
    text = KEYS[name]
    (model / file).write_text(
        json.dumps({"cells": [{"source": [text]}]}) if file.endswith("ipynb") and "{" not in text else text
    )
    found = [f for f in judge_folder(model) if isinstance(f, Finding)]
    assert [(f.rule, f.severity.value, f.path) for f in found] == [("SECRET001", "error", file)]
    shown = json.dumps([f.to_json() for f in found])
    for part in (MIXED[6:20], HEX[6:20], "k9ZqTb3WvNc"):
        assert part not in shown


@pytest.mark.parametrize("name", HARMLESS)
def test_what_only_looks_like_a_key(name: str, model: Path) -> None:
    (model / "notes.md").write_text(HARMLESS[name])
    assert judge_folder(model) == []


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "unit", ["a://b:", "://", "aws_secret", "wandb_api_key", "kaggle key", "x" * 100 + ":", "SG.", "hf_"]
)
def test_patterns_do_not_run_away(unit: str, model: Path) -> None:
    (model / "notes.md").write_text(unit * (500_000 // len(unit)))
    judge_folder(model)
