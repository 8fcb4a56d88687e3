"""datasets loads a dataset repo by id from the hub, in a process of its own."""

from __future__ import annotations

import importlib.util
import json

import pytest
from huggingface_hub import CommitOperationAdd
from support.running_hub import TestHub

REPO = "acme/rows"
CSV = b"text,label\ngood,1\nbad,0\n"
MAKE_PARQUET = """
import sys, datasets
datasets.Dataset.from_dict({"text": ["fine", "awful", "so-so"], "label": [1, 0, 0]}).to_parquet(sys.argv[1])
"""
LOAD = """
import json, sys, datasets
loaded = datasets.load_dataset(*json.loads(sys.argv[1]), **json.loads(sys.argv[2]))
print(json.dumps({name: split.to_dict() for name, split in loaded.items()}))
"""

pytestmark = pytest.mark.skipif(importlib.util.find_spec("datasets") is None, reason="datasets is not installed")


def test_parquet_loads_by_id_from_where_the_card_says(hub: TestHub) -> None:
    made = hub.home / "made.parquet"
    hub.python(MAKE_PARQUET, str(made), env={"HF_DATASETS_CACHE": str(hub.home / "made")})
    api = hub.api()
    api.create_repo(REPO, repo_type="dataset", private=True)
    card = b"---\nlicense: mit\nconfigs:\n- config_name: columns\n  data_files:\n"
    card += b"  - split: test\n    path: columns/test-*.parquet\n---\n"
    operations = [
        CommitOperationAdd("README.md", card),
        CommitOperationAdd("columns/test-00000-of-00001.parquet", made),
        CommitOperationAdd("columns/notes.txt", b"not a part of it"),
    ]
    api.create_commit(REPO, operations, commit_message="rows", repo_type="dataset")
    assert load(hub, REPO, "columns") == {"test": {"text": ["fine", "awful", "so-so"], "label": [1, 0, 0]}}


def test_the_revision_decides_what_is_loaded(hub: TestHub) -> None:
    api = hub.api()
    api.create_repo(REPO, repo_type="dataset")
    upload = {"path_in_repo": "train.csv", "repo_id": REPO, "repo_type": "dataset"}
    api.upload_file(path_or_fileobj=CSV, **upload)
    api.create_tag(REPO, tag="v1", repo_type="dataset")
    api.upload_file(path_or_fileobj=b"text,label\nnewer,1\n", **upload)
    assert load(hub, REPO, revision="v1")["train"]["text"] == ["good", "bad"]
    assert load(hub, REPO)["train"]["text"] == ["newer"]


def load(hub: TestHub, *arguments: str, **options: str) -> dict[str, dict[str, list[object]]]:
    loaded: dict[str, dict[str, list[object]]] = json.loads(
        hub.python(LOAD, json.dumps(arguments), json.dumps(options)).strip().splitlines()[-1]
    )
    return loaded
