"""What the hub says of repos: info, tags, parameters, lists and their pages, with the real client."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import BadRequestError, HfHubHTTPError
from huggingface_hub.hf_api import RepoFile, RepoFolder
from support.running_hub import BOB, StartHub, TestHub

from hubpub.hub import Limits
from hubpub.hub.store.content import BytesContent
from hubpub.hub.store.safetensors_counts import parameter_counts, weights_of

REPO = "acme/model"
CARD = """---
license: apache-2.0
language: [en, de]
library_name: transformers
tags: [tiny, bert, release-gate]
datasets: [acme/reviews]
base_model: google-bert/bert-base-uncased
base_model_relation: finetune
created: 2024-05-06
score: .nan
pipeline_tag: text-classification
---
# Model

See https://arxiv.org/abs/1810.04805 and arXiv:2401.00001.
"""


def safetensors(**tensors: tuple[str, list[int]]) -> bytes:
    """A file with these tensors; the data is left out, as only the header is looked at."""
    entries = {
        name: {"dtype": dtype, "shape": shape, "data_offsets": [0, 0]} for name, (dtype, shape) in tensors.items()
    }
    header = json.dumps({"__metadata__": {"format": "pt"}, **entries}).encode()
    return struct.pack("<Q", len(header)) + header


def publish(api: HfApi, files: dict[str, bytes | str], repo: str = REPO, kind: str = "model") -> None:
    api.create_repo(repo, repo_type=kind, exist_ok=True, space_sdk="gradio" if kind == "space" else None)
    operations = [
        CommitOperationAdd(path, content.encode() if isinstance(content, str) else content)
        for path, content in files.items()
    ]
    api.create_commit(repo, operations, commit_message="publish", repo_type=kind)


def config(**more: object) -> str:
    return json.dumps({"model_type": "bert", "architectures": ["BertForSequenceClassification"], **more})


def test_model_info_tells_card_tags_task_library_and_parameters(hub: TestHub) -> None:
    api = hub.api()
    weights = safetensors(a=("F32", [10, 20]), b=("F16", [5]), scalar=("F32", []))
    publish(api, {"README.md": CARD, "config.json": config(), "model.safetensors": weights})
    info = api.model_info(REPO)
    assert info.pipeline_tag == "text-classification"
    assert info.library_name == "transformers"
    assert info.tags == [
        "transformers",
        "safetensors",
        "bert",
        "text-classification",
        "tiny",
        "release-gate",
        "en",
        "de",
        "dataset:acme/reviews",
        "arxiv:1810.04805",
        "arxiv:2401.00001",
        "base_model:google-bert/bert-base-uncased",
        "base_model:finetune:google-bert/bert-base-uncased",
        "license:apache-2.0",
    ]
    assert info.card_data is not None
    assert (info.card_data.license, info.card_data.language) == ("apache-2.0", ["en", "de"])
    assert info.card_data["created"] == "2024-05-06"
    assert info.safetensors is not None
    assert (info.safetensors.parameters, info.safetensors.total) == ({"F32": 201, "F16": 5}, 206)
    assert info.config == {"architectures": ["BertForSequenceClassification"], "model_type": "bert"}
    assert info.used_storage is not None
    assert info.used_storage > len(weights)
    assert info.created_at is not None
    assert info.last_modified is not None
    assert (info.gated, info.private, info.disabled, info.author) == (False, False, False, "acme")


def test_info_follows_the_revision(hub: TestHub) -> None:
    api = hub.api()
    publish(api, {"README.md": "---\nlicense: mit\n---\n"})
    api.create_tag(REPO, tag="v1")
    publish(api, {"README.md": "---\nlicense: apache-2.0\n---\n"})
    assert "license:mit" in (api.model_info(REPO, revision="v1").tags or [])
    assert "license:apache-2.0" in (api.model_info(REPO).tags or [])
    api.create_commit(REPO, [CommitOperationDelete("README.md")], commit_message="no card")
    assert api.model_info(REPO).card_data is None


def test_library_and_task_are_inferred(hub: TestHub) -> None:
    api = hub.api()
    publish(api, {"config.json": config(architectures=["LlamaForCausalLM"], model_type="llama")}, "acme/llama")
    info = api.model_info("acme/llama")
    assert (info.library_name, info.pipeline_tag) == ("transformers", "text-generation")
    publish(api, {"config.json": config(), "modules.json": "[]"}, "acme/sentences")
    info = api.model_info("acme/sentences")
    assert (info.library_name, info.pipeline_tag) == ("sentence-transformers", "sentence-similarity")
    publish(api, {"adapter_config.json": "{}", "adapter_model.safetensors": safetensors(x=("BF16", [8]))}, "acme/lora")
    info = api.model_info("acme/lora")
    assert info.library_name == "peft"
    assert info.safetensors is not None
    assert info.safetensors.total == 8


def test_sharded_weights_are_added_up(hub: TestHub) -> None:
    shards = {
        f"model-0000{number}-of-00003.safetensors": safetensors(**{f"t{number}": ("F32", [number, 100])})
        for number in (1, 2, 3)
    }
    publish(hub.api(), {**shards, "extra.safetensors": safetensors(x=("F32", [7]))})
    info = hub.api().model_info(REPO)
    assert info.safetensors is not None
    assert info.safetensors.parameters == {"F32": 600}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 7,
        struct.pack("<Q", 1 << 62),
        struct.pack("<Q", 4) + b"nope",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 200_000) + b"[" * 200_000,
        safetensors(x=("F32", [-1])),
        safetensors(x=("F32", [1 << 64])),
        safetensors(x=("<script>", [1])),
    ],
)
def test_a_header_that_cannot_be_read_counts_nothing(content: bytes) -> None:
    assert parameter_counts(BytesContent(content)) is None


def test_which_files_are_the_weights() -> None:
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    assert weights_of(["a.txt", *shards, "other.safetensors"]) == shards
    assert weights_of([*shards, "model.safetensors"]) == ["model.safetensors"]
    assert weights_of(["b.safetensors", "a.safetensors"]) == ["a.safetensors", "b.safetensors"]


@pytest.mark.parametrize(
    "card",
    [
        "---\nlicense: [unclosed\n---\n",
        "---\n" + "a: " + "[" * 500 + "]" * 500 + "\n---\n",
        "---\n- a list\n---\n",
        "no front matter",
        "---\nself: 1\nignore_metadata_errors: 1\nmodel-index: [[1]]\n---\n",
        "---\nlicense: mit\ntags: 7\nlanguage: {a: b}\ndatasets: [1, null]\nx: 99999999999999999999999\n1: 2\n---\n",
    ],
)
def test_a_strange_card_breaks_no_info(hub: TestHub, card: str) -> None:
    api = hub.api()
    api.create_repo(REPO)
    # Committed without the client, which would have it validated.
    api.create_commit(REPO, [CommitOperationAdd("x/README.md", card.encode())], commit_message="m")
    body = "\n".join(
        json.dumps(line)
        for line in (
            {"key": "header", "value": {"summary": "m"}},
            {"key": "file", "value": {"path": "README.md", "content": _base64(card), "encoding": "base64"}},
        )
    )
    _post(hub, f"/api/models/{REPO}/commit/main", body)
    assert api.model_info(REPO).sha
    assert [model.id for model in api.list_models(full=True)] == [REPO]


def test_expand_gives_what_is_named(hub: TestHub) -> None:
    api = hub.api()
    publish(api, {"README.md": CARD, "model.safetensors": safetensors(x=("F32", [3]))})
    info = api.model_info(REPO, expand=["safetensors", "trendingScore", "usedStorage"])
    assert info.safetensors is not None
    assert (info.trending_score, info.tags, info.sha, info.siblings) == (0, None, None, None)
    listed = next(iter(api.list_models(expand=["cardData", "siblings"])))
    assert listed.card_data is not None
    assert {item.rfilename for item in listed.siblings or []} == {".gitattributes", "README.md", "model.safetensors"}
    assert listed.pipeline_tag is None


def test_models_are_found_by_tag_task_author_and_size(hub: TestHub) -> None:
    api = hub.api()
    publish(api, {"README.md": CARD, "config.json": config(), "m.safetensors": safetensors(x=("F32", [5000]))})
    publish(api, {"README.md": "---\nlicense: mit\ntags: [tiny]\n---\n"}, "alice/Other-Model")
    publish(hub.api(BOB), {"a.txt": "a"}, "bob/plain")
    api.create_repo("alice/secret", private=True)

    def found(**query: object) -> list[str]:
        return [model.id for model in hub.api(BOB).list_models(**query)]  # type: ignore[arg-type]

    assert found() == [REPO, "alice/Other-Model", "bob/plain"]
    assert found(filter="tiny") == [REPO, "alice/Other-Model"]
    assert found(filter=["tiny", "license:mit"]) == ["alice/Other-Model"]
    assert found(filter="transformers") == found(pipeline_tag="text-classification") == [REPO]
    assert found(trained_dataset="acme/reviews") == [REPO]
    assert found(author="alice") == found(search="other") == ["alice/Other-Model"]
    assert found(num_parameters="min:4K,max:1M") == [REPO]
    assert found(num_parameters="min:6K") == []
    assert found(gated=True) == found(author="no such") == found(inference_provider="all") == []
    assert [model.id for model in api.list_models(author="alice")] == ["alice/Other-Model", "alice/secret"]
    with pytest.raises(BadRequestError):
        found(num_parameters="big")
    with pytest.raises(BadRequestError):
        found(sort="beauty")


def test_datasets_and_spaces_are_found(hub: TestHub) -> None:
    api = hub.api()
    card = "---\nlanguage: [fr]\ntask_categories: [text-generation]\nlicense: mit\n---\n"
    publish(api, {"README.md": card}, "acme/data", "dataset")
    info = api.dataset_info("acme/data")
    assert info.tags == ["task_categories:text-generation", "language:fr", "license:mit"]
    assert [item.id for item in api.list_datasets(language="fr", task_categories="text-generation")] == ["acme/data"]
    assert list(api.list_datasets(language="de")) == []
    api.create_repo("acme/app", repo_type="space", space_sdk="gradio")
    publish(api, {"README.md": "---\nsdk: gradio\nmodels: [acme/model]\n---\n"}, "acme/other-app", "space")
    assert [item.id for item in api.list_spaces(models=REPO)] == ["acme/other-app"]
    assert [item.id for item in api.list_spaces(search="app")] == ["acme/app", "acme/other-app"]


def test_lists_are_sorted_and_come_in_pages(start_hub: StartHub) -> None:
    api = start_hub(limits=Limits(page=4)).api()
    names = [f"acme/m{number:02}" for number in range(11)]
    for name in names:
        api.create_repo(name)
    time.sleep(1.1)  # git's times are in seconds
    publish(api, {"a.txt": "a"}, "acme/m05")
    assert [model.id for model in api.list_models()] == names
    assert [model.id for model in api.list_models(sort="created_at")] == names[::-1]
    newest = [model.id for model in api.list_models(sort="last_modified")]
    assert (newest[0], set(newest), len(newest)) == ("acme/m05", set(names), 11)
    assert [model.id for model in api.list_models(sort="downloads", limit=3)] == names[:3]
    assert [model.id for model in api.list_models(filter="nothing")] == []
    with pytest.raises(HfHubHTTPError):
        _get(api, "/api/models?cursor=%00")


@pytest.mark.parametrize("page", [1, 2, 3, 7])
def test_a_tree_in_small_pages_is_the_same_tree(start_hub: StartHub, page: int) -> None:
    api = start_hub(limits=Limits(page=page)).api()
    paths = ["a", "b/c", "b/d/e", "b/d/f g", "b.txt", "d/d/d/d", "d.d", "ü/ö", "z"]
    publish(api, dict.fromkeys(paths, "x"))
    listed = [entry.path for entry in api.list_repo_tree(REPO, recursive=True)]
    folders = ["b", "b/d", "d", "d/d", "d/d/d", "ü"]
    assert sorted(listed) == sorted([".gitattributes", *paths, *folders])
    assert [entry.path for entry in api.list_repo_tree(REPO)] == [path for path in listed if "/" not in path]
    below = [entry.path for entry in api.list_repo_tree(REPO, "b", recursive=True)]
    assert below == [path for path in listed if path.startswith("b/")]


def test_last_commits_of_a_tree(hub: TestHub) -> None:
    api = hub.api()
    publish(api, {"a/b/c.txt": "1", "a/d.txt": "1", "e.txt": "1"})
    first = last_commits(api)
    assert first["a/b/c.txt"] == first["a"] == first["e.txt"]
    publish(api, {"a/b/c.txt": "2"})
    second = last_commits(api)
    assert second["a/b/c.txt"] == second["a/b"] == second["a"] == api.model_info(REPO).sha
    assert (second["a/d.txt"], second["e.txt"]) == (first["a/d.txt"], first["e.txt"])
    api.create_commit(REPO, [CommitOperationDelete("a/b/c.txt")], commit_message="gone")
    third = last_commits(api)
    assert third["a"] == api.model_info(REPO).sha
    assert "a/b" not in third
    assert last_commits(api, first["e.txt"]) == first
    api.super_squash_history(REPO)
    assert set(last_commits(api).values()) == {api.model_info(REPO).sha}
    paths = api.get_paths_info(REPO, ["a", "e.txt"], expand=True)
    assert all(entry.last_commit for entry in paths if isinstance(entry, RepoFile | RepoFolder))


def last_commits(api: HfApi, revision: str = "main") -> dict[str, str]:
    listed = api.list_repo_tree(REPO, recursive=True, expand=True, revision=revision)
    return {entry.path: entry.last_commit.oid for entry in listed if entry.last_commit}


def test_ten_thousand_files_are_listed_in_seconds(hub: TestHub) -> None:
    api = hub.api()
    publish(api, {f"d{number % 100}/f{number}.txt": str(number) for number in range(10_000)})
    for expand in (False, True):
        started = time.monotonic()
        assert len(list(api.list_repo_tree(REPO, recursive=True, expand=expand))) == 10_101
        # The bound is wide, for machines that do other things too; `benchmarks/` measures.
        assert time.monotonic() - started < 15


def test_info_of_a_real_saved_model(hub: TestHub, tmp_path: Path) -> None:
    from support.models import save_plain

    save_plain(tmp_path / "model")
    publish(hub.api(), {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()})
    info = hub.api().model_info(REPO)
    client = hub.api().get_safetensors_metadata(REPO)
    assert info.safetensors is not None
    assert info.safetensors.parameters == client.parameter_count


def _base64(text: str) -> str:
    import base64

    return base64.b64encode(text.encode()).decode()


def _post(hub: TestHub, path: str, body: str) -> None:
    import urllib.request

    headers = {"Authorization": "Bearer hf_alice", "Content-Type": "application/x-ndjson"}
    request = urllib.request.Request(hub.endpoint + path, body.encode(), headers, method="POST")
    with urllib.request.urlopen(request) as response:
        assert response.status == 200


def _get(api: HfApi, path: str) -> None:
    from huggingface_hub.utils import get_session, hf_raise_for_status

    hf_raise_for_status(get_session().get(api.endpoint + path))
