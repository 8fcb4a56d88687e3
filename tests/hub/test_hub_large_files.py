"""Large files with the real client: through xet, through LFS in one piece and in parts, and back byte-equal."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from support.running_hub import ALICE, StartHub, TestHub

from hubpub.hub import Limits, parse_token, running
from hubpub.hub.store.xet_format import read_xorb, unpack_chunks
from hubpub.hub.store.xet_hashing import chunk_node, file_hash

REPO = "acme/model"
NO_XET = {"HF_HUB_DISABLE_XET": "1"}

UPLOAD = """
import sys
from huggingface_hub import CommitOperationAdd, HfApi
repo, folder, *names = sys.argv[1:]
api = HfApi()
api.create_repo(repo, exist_ok=True)
print(api.create_commit(
    repo, [CommitOperationAdd(name, f"{folder}/{name}") for name in names], commit_message="upload"
).oid)
"""

# The way that is not meant is broken on purpose.
DOWNLOAD = """
import hashlib, sys
import huggingface_hub.file_download as download
repo, folder, way = sys.argv[1:]
def wrong_way(*_args, **_kwargs):
    raise AssertionError(f"not through {way}")
setattr(download, "xet_get" if way == "http" else "http_get", wrong_way)
path = download.hf_hub_download(repo, "model.safetensors", local_dir=folder)
print(hashlib.sha256(open(path, "rb").read()).hexdigest())
"""


def noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def repetitive() -> bytes:
    """Content whose chunks recur, some of it as it is and some packed."""
    block, random_ = noise(1 << 20), random.Random(2)
    weights = struct.pack("<200000f", *(random_.gauss(0, 0.02) for _ in range(200_000)))
    return block * 3 + noise(2 << 20, 1) + weights + block + b"\0" * 500_000 + block[: 1 << 19] + b"end"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.safetensors").write_bytes(repetitive())
    (tmp_path / "config.json").write_text("{}")
    return tmp_path


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def upload(hub: TestHub, folder: Path, env: dict[str, str] | None = None) -> str:
    return hub.python(UPLOAD, REPO, str(folder), "model.safetensors", "config.json", env=env).strip()


def stored(hub: TestHub, kind: str) -> list[Path]:
    return [path for path in (hub.hub.root / kind).rglob("*") if path.is_file()]


def test_xet(hub: TestHub, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    upload(hub, folder)
    expected = digest(folder / "model.safetensors")
    for way, env in (("xet", {}), ("http", NO_XET)):
        target = str(tmp_path_factory.mktemp(way))
        # A fresh HF_HOME: nothing may come out of the cache that the upload left.
        fresh = {"HF_HOME": str(tmp_path_factory.mktemp("hf-home"))}
        assert hub.python(DOWNLOAD, REPO, target, way, env=env | fresh).strip() == expected
    assert stored(hub, "lfs") == []
    assert sum(path.stat().st_size for path in stored(hub, "xet/xorbs")) < 0.7 * len(repetitive())
    (info,) = hub.api().get_paths_info(REPO, ["model.safetensors"])
    assert info.lfs.sha256 == expected
    assert info.xet_hash
    packed = [path.read_bytes() for path in stored(hub, "xet/xorbs")]
    assert {data[start + 4] for data in packed for start in read_xorb(BytesIO(data)).starts[:-1]} >= {0, 2}


def test_xet_in_a_pull_request(hub: TestHub, folder: Path) -> None:
    """The client asks for a token for the revision `None` then."""
    hub.api().create_repo(REPO)
    code = UPLOAD.replace('commit_message="upload"', 'commit_message="upload", create_pr=True')
    hub.python(code, REPO, str(folder), "model.safetensors")
    files = hub.api().list_repo_files(REPO, revision="refs/pr/1")
    assert "model.safetensors" in files
    assert "model.safetensors" not in hub.api().list_repo_files(REPO)


@pytest.mark.parametrize("limits", [Limits(), Limits(multipart_from=1 << 20, part=1 << 20)], ids=["basic", "multipart"])
def test_lfs(start_hub: StartHub, folder: Path, limits: Limits, tmp_path_factory: pytest.TempPathFactory) -> None:
    hub = start_hub(limits=limits)
    upload(hub, folder, NO_XET)
    expected = digest(folder / "model.safetensors")
    assert [path.name for path in stored(hub, "lfs")] == [expected]
    target = str(tmp_path_factory.mktemp("download"))
    assert hub.python(DOWNLOAD, REPO, target, "http", env=NO_XET).strip() == expected
    assert stored(hub, "scratch") == []


def test_a_file_is_stored_once_however_often_it_is_uploaded(hub: TestHub, folder: Path) -> None:
    upload(hub, folder)
    again = UPLOAD.replace("repo, folder", "_, folder", 1).replace("api = HfApi()", 'api, repo = HfApi(), "acme/copy"')
    hub.python(again, REPO, str(folder), "model.safetensors", env=NO_XET)
    assert stored(hub, "lfs") == []
    assert "model.safetensors" in hub.api().list_repo_files("acme/copy")


@pytest.mark.parametrize("env", [{}, NO_XET], ids=["xet", "lfs"])
def test_survives_a_restart(start_hub: StartHub, folder: Path, tmp_path: Path, env: dict[str, str]) -> None:
    root = tmp_path / "data"
    first = start_hub(root)
    commit = upload(first, folder, env)
    first.api().create_tag(REPO, tag="v1")
    second = start_hub(root)
    # Another CAS address would be another store to hf_xet.
    assert second.api().model_info(REPO, revision="v1").sha == commit
    local = second.api().snapshot_download(REPO, local_dir=tmp_path / "snapshot")
    assert digest(Path(local) / "model.safetensors") == digest(folder / "model.safetensors")
    checked = second.api().verify_repo_checksums(REPO, local_dir=local)
    assert (checked.checked_count, checked.mismatches, checked.missing_paths) == (3, [], [])


@pytest.mark.parametrize("env", [{}, NO_XET], ids=["xet", "lfs"])
def test_datasets(hub: TestHub, folder: Path, env: dict[str, str]) -> None:
    code = UPLOAD.replace("exist_ok=True", "repo_type='dataset'").replace(
        "repo, [", "repo, repo_type='dataset', operations=["
    )
    hub.python(code, REPO, str(folder), "model.safetensors", env=env)
    assert not hub.api().repo_exists(REPO)
    local = hub.api().snapshot_download(REPO, repo_type="dataset", local_dir=folder / "there")
    assert digest(Path(local) / "model.safetensors") == digest(folder / "model.safetensors")


def test_a_new_store_on_an_old_address(folder: Path, tmp_path: Path) -> None:
    """hf_xet remembers by CAS address what it uploaded; a wiped hub must not look like the one before."""
    home, port = tmp_path / "hf-home", 0
    for turn in range(2):
        with running(tmp_path / f"data-{turn}", tokens=[parse_token(f"{ALICE}=acme")], port=port) as server:
            port = int(server.endpoint.rpartition(":")[2])
            hub = TestHub(server, home)
            upload(hub, folder)
            assert hub.read(REPO, "model.safetensors") == repetitive()


def test_ranges(hub: TestHub, folder: Path) -> None:
    from huggingface_hub import get_session

    data = (folder / "model.safetensors").read_bytes()
    upload(hub, folder)
    url = f"{hub.endpoint}/{REPO}/resolve/main/model.safetensors"
    size = len(data)
    cases = {
        "bytes=0-0": (0, 1),
        "bytes=0-99999999999": (0, size),
        f"bytes={size - 1}-": (size - 1, size),
        "bytes=-10": (size - 10, size),
        "bytes=1048570-3145800": (1048570, 3145801),
        "bytes=3000000-3000001": (3000000, 3000002),
    }
    for header, (start, stop) in cases.items():
        answer = get_session().get(url, headers={"Range": header})
        assert (answer.status_code, answer.headers["content-range"]) == (206, f"bytes {start}-{stop - 1}/{size}")
        assert answer.content == data[start:stop]
    for header in ("bytes=5-2", "lines=0-1", "bytes=0-1,4-5"):
        assert get_session().get(url, headers={"Range": header}).content == data
    beyond = get_session().get(url, headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    head = get_session().head(url)
    assert int(head.headers["content-length"]) == size
    assert head.headers["x-linked-etag"] == f'"{digest(folder / "model.safetensors")}"'


def test_safetensors_metadata(hub: TestHub, tmp_path: Path) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}).encode()
    (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(24))
    (tmp_path / "config.json").write_text("{}")
    upload(hub, tmp_path)
    metadata = hub.api().get_safetensors_metadata(REPO)
    assert metadata.parameter_count == {"F32": 6}


def test_an_upload_that_is_not_what_was_announced_is_dropped(hub: TestHub) -> None:
    from huggingface_hub import get_session

    hub.api().create_repo(REPO)
    headers = {"Authorization": f"Bearer {ALICE}"}
    body = {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": "0" * 64, "size": 4}]}
    batch = get_session().post(f"{hub.endpoint}/{REPO}.git/info/lfs/objects/batch", json=body, headers=headers)
    actions = batch.json()["objects"][0]["actions"]
    href = actions["upload"]["href"]
    assert get_session().put(href, content=b"xxxx").status_code == 400
    assert get_session().put(href, content=b"longer than announced").status_code == 413
    assert get_session().post(actions["verify"]["href"], json={}).status_code == 404
    tampered = href[:-4] + ("aaaa" if not href.endswith("aaaa") else "bbbb")
    assert get_session().put(tampered, content=b"xxxx").status_code == 403
    assert stored(hub, "lfs") == []
    assert stored(hub, "scratch") == []


def test_cas_refuses_what_is_damaged_or_not_allowed(hub: TestHub, folder: Path) -> None:
    from huggingface_hub import get_session

    upload(hub, folder)
    (info,) = hub.api().get_paths_info(REPO, ["model.safetensors"])
    headers = {"Authorization": f"Bearer {ALICE}"}
    token = get_session().get(f"{hub.endpoint}/api/models/{REPO}/xet-write-token/main", headers=headers).json()
    cas, write = token["casUrl"], {"Authorization": f"Bearer {token['accessToken']}"}
    assert get_session().post(f"{cas}/v1/xorbs/default/{'0' * 64}", content=b"junk", headers=write).status_code == 400
    (xorb,) = stored(hub, "xet/xorbs")
    renamed = get_session().post(f"{cas}/v1/xorbs/default/{'0' * 64}", content=xorb.read_bytes(), headers=write)
    assert (renamed.status_code, "its content has another hash" in renamed.text) == (400, True)
    again = get_session().post(f"{cas}/v1/xorbs/default/{xorb.name}", content=b"ignored", headers=write)
    assert again.json() == {"was_inserted": False}
    assert stored(hub, "xet/xorbs") == [xorb]
    assert get_session().post(f"{cas}/v2/shards", content=b"junk", headers=write).status_code == 400
    assert get_session().post(f"{cas}/v2/shards", content=b"junk", headers=headers).status_code == 401
    reconstruction = f"{cas}/v2/reconstructions/{info.xet_hash}"
    assert get_session().get(reconstruction, headers=write).status_code == 200
    other = cas[:-4] + "0000"
    assert get_session().get(f"{other}/v2/reconstructions/{info.xet_hash}", headers=write).status_code == 404
    hub.api().create_repo("acme/other")
    elsewhere = get_session().get(f"{hub.endpoint}/api/models/acme/other/xet-read-token/main", headers=headers).json()
    read = {"Authorization": f"Bearer {elsewhere['accessToken']}"}
    assert get_session().get(reconstruction, headers=read).status_code == 404
    assert get_session().post(f"{cas}/v1/xorbs/default/{'0' * 64}", content=b"", headers=read).status_code == 401


def test_a_shard_must_tell_the_truth(hub: TestHub, folder: Path) -> None:
    """About the chunks that are there, the SHA-256, and the xet hash of the file."""
    from huggingface_hub import get_session

    upload(hub, folder)
    (info,) = hub.api().get_paths_info(REPO, ["model.safetensors"])
    (path,) = stored(hub, "xet/xorbs")
    token = (
        get_session()
        .get(f"{hub.endpoint}/api/models/{REPO}/xet-write-token/main", headers={"Authorization": f"Bearer {ALICE}"})
        .json()
    )
    xorb, table = raw_hash(path.name), read_xorb(BytesIO(path.read_bytes()))

    def answer(file: str, end: int, length: int, sha256: str) -> tuple[int, str]:
        records = [(raw_hash(file), 0x4000_0000, 1, 0, 0), (xorb, 0, length, 0, end), (raw_hash(sha256), 0, 0, 0, 0)]
        body = b"HFRepoMetaData\0".ljust(32, b"\0") + struct.pack("<QQ", 2, 0)
        body += b"".join(struct.pack("<32s4I", *record) for record in records) + b"\xff" * 48
        headers = {"Authorization": f"Bearer {token['accessToken']}"}
        refused = get_session().post(f"{token['casUrl']}/v2/shards", content=body, headers=headers)
        return refused.status_code, refused.text

    one = b"".join(unpack_chunks(path.read_bytes()[: table.starts[1]]))
    true = file_hash([chunk_node(one)]), 1, len(one), hashlib.sha256(one).hexdigest()
    for wrong in (("0" * 64, *true[1:]), (*true[:3], "0" * 64), (*true[:2], 5, true[3]), (true[0], 10**6, *true[2:])):
        status, text = answer(*wrong)
        assert (status, "The shard is refused" in text) == (400, True)
    assert answer(*true) == (200, '{"type": "result", "result": 1}\n')
    assert answer(info.xet_hash, 1, len(one), true[3])[0] == 400, "what is registered stays"


def raw_hash(text: str) -> bytes:
    return b"".join(bytes.fromhex(text[start : start + 16])[::-1] for start in range(0, 64, 16))


def test_both_forms_of_a_reconstruction_name_disjoint_sorted_ranges(hub: TestHub, folder: Path) -> None:
    from huggingface_hub import get_session

    data = (folder / "model.safetensors").read_bytes()
    upload(hub, folder)
    (info,) = hub.api().get_paths_info(REPO, ["model.safetensors"])
    token = (
        get_session()
        .get(f"{hub.endpoint}/api/models/{REPO}/xet-read-token/main", headers={"Authorization": f"Bearer {ALICE}"})
        .json()
    )
    for header, size in (({}, len(data)), ({"Range": "bytes=1000000-4000000"}, 3000001)):
        headers = {"Authorization": f"Bearer {token['accessToken']}", **header}
        v2 = get_session().get(f"{token['casUrl']}/v2/reconstructions/{info.xet_hash}", headers=headers).json()
        v1 = get_session().get(f"{token['casUrl']}/v1/reconstructions/{info.xet_hash}", headers=headers).json()
        assert v1["terms"] == v2["terms"]
        assert sum(term["unpacked_length"] for term in v2["terms"]) - v2["offset_into_first_range"] >= size
        for xorb, entries in v2["xorbs"].items():
            chunks = [entry["ranges"][0]["chunks"] for entry in entries]
            assert all(before["end"] < after["start"] for before, after in pairwise(chunks))
            assert [entry["range"] for entry in v1["fetch_info"][xorb]] == chunks
            for term in v2["terms"]:
                if term["hash"] == xorb:
                    span = term["range"]
                    assert any(c["start"] <= span["start"] and span["end"] <= c["end"] for c in chunks)
