"""What an older release left on the hub: which of it is in the way, which is only older, and what is left alone."""

from __future__ import annotations

import pytest

from hubpub.publish.remote import RemoteFile
from hubpub.publish.stale import find_stale

SHARDS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"]


def find(release: list[str], remote: list[str], changed: list[str] | None = None) -> tuple[dict[str, str], set[str]]:
    """Reasons by stale path, and the paths that are mentioned."""
    files = {path: RemoteFile(path, 7, "0" * 40, None) for path in remote}
    found = find_stale(release, release if changed is None else changed, files)
    return {item.path: item.reason for item in found.stale}, {item.path for item in found.older}


@pytest.mark.parametrize(
    ("release", "remote", "stale"),
    [
        (
            SHARDS,
            ["model-00001-of-00003.safetensors", "model-00003-of-00003.safetensors", *SHARDS],
            ["model-00001-of-00003.safetensors", "model-00003-of-00003.safetensors"],
        ),
        (SHARDS, ["model.safetensors"], ["model.safetensors"]),
        (["model.safetensors"], SHARDS, SHARDS),
        (["pytorch_model.bin"], ["model.safetensors"], ["model.safetensors"]),
        (["pytorch_model.bin"], SHARDS, SHARDS),
        (["pytorch_model-00001-of-00001.bin", "pytorch_model.bin.index.json"], SHARDS, SHARDS),
        (["adapter_model.bin"], ["adapter_model.safetensors"], ["adapter_model.safetensors"]),
        (
            ["unet/diffusion_pytorch_model.bin"],
            ["unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors"],
            ["unet/diffusion_pytorch_model.safetensors"],
        ),
        (
            ["model.fp16-00001-of-00002.safetensors", "model.fp16-00002-of-00002.safetensors"],
            ["model.fp16.safetensors", "model.safetensors", "model.fp16-00003-of-00003.safetensors"],
            ["model.fp16-00003-of-00003.safetensors", "model.fp16.safetensors"],
        ),
        (["model.fp16.safetensors"], ["model.safetensors.index.fp16.json"], ["model.safetensors.index.fp16.json"]),
        (
            ["q4-00001-of-00002.gguf", "q4-00002-of-00002.gguf"],
            ["q4-00003-of-00003.gguf", "q8-00001-of-00003.gguf"],
            ["q4-00003-of-00003.gguf"],
        ),
        (
            ["config.json", "model.safetensors"],
            ["adapter_config.json", "adapter_model.safetensors"],
            ["adapter_config.json", "adapter_model.safetensors"],
        ),
    ],
)
def test_what_is_in_the_way(release: list[str], remote: list[str], stale: list[str]) -> None:
    assert sorted(find(release, remote)[0]) == stale


@pytest.mark.parametrize(
    ("release", "remote"),
    [
        (["model.safetensors"], ["README.md", "tokenizer.json", "notes.txt", ".gitattributes"]),
        (["model.safetensors"], ["model.fp16.safetensors", "model.fp16-00001-of-00002.safetensors"]),
        (["model.safetensors"], ["other/model-00001-of-00002.safetensors", "consolidated.safetensors"]),
        (["README.md", "config.json"], [*SHARDS, "pytorch_model.bin", "adapter_config.json"]),
        (SHARDS[:1], [SHARDS[1]]),
        (["adapter_config.json", "adapter_model.safetensors"], ["config.json", "model.safetensors"]),
        (["q4.gguf"], ["q8.gguf", "model-00001-of-00002.safetensors"]),
    ],
)
def test_what_is_left_alone(release: list[str], remote: list[str]) -> None:
    assert find(release, remote) == ({}, set())


def test_other_formats_are_mentioned_when_the_weights_change_and_never_proposed() -> None:
    remote = ["pytorch_model.bin", "tf_model.h5", "onnx/model.onnx", "training_args.bin", "vae/flax_model.msgpack"]
    assert find(["model.safetensors"], remote) == (
        {},
        {"pytorch_model.bin", "tf_model.h5", "onnx/model.onnx", "vae/flax_model.msgpack"},
    )
    assert find(["model.safetensors", "README.md"], remote, changed=["README.md"]) == ({}, set())


def test_the_reasons_say_what_is_there_now() -> None:
    reasons, _ = find(SHARDS, ["model.safetensors", "model-00003-of-00003.safetensors"])
    assert reasons == {
        "model.safetensors": "loaders take it before the 2 new shards",
        "model-00003-of-00003.safetensors": "a shard of an older release: this one has 2 shards",
    }
    reasons, _ = find(["pytorch_model.bin"], ["model.safetensors"])
    assert reasons == {"model.safetensors": "loaders take it before the new pytorch_model.bin"}
