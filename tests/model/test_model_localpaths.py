from __future__ import annotations

import json
import time

import pytest

from hubpub.model.localpaths import find_local_paths, is_local


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("_name_or_path", "/home/alice/bert"),
        ("_name_or_path", "/content/drive/MyDrive/m"),
        ("_name_or_path", "/opt/ml/model"),
        ("_name_or_path", "/anywhere/else"),
        ("_name_or_path", "./out"),
        ("_name_or_path", "..\\out"),
        ("_name_or_path", "~/models/bert"),
        ("_name_or_path", "out\\bert\\final"),
        ("_name_or_path", "gs://bucket/model"),
        ("_name_or_path", "out/checkpoint-12"),
        ("best_model_checkpoint", "runs/a/b"),
        ("output_dir", "/data/out"),
        ("cache_dir", "/anywhere/cache"),
        ("anything", "C:\\Users\\alice\\x"),
        ("anything", "\\\\server\\share\\x"),
        ("anything", "file:///etc/x"),
        (None, "/Users/alice/x.csv"),
    ],
)
def test_local(key: str | None, value: str) -> None:
    assert is_local(key, value)
    [found] = find_local_paths(json.dumps({key: value}) if key else json.dumps([value]))
    assert (found.key, found.value) == (key, value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("_name_or_path", "google-bert/bert-base-uncased"),
        ("_name_or_path", "bert-base-uncased"),
        ("_name_or_path", "https://huggingface.co/acme/m/tree/main"),
        ("_name_or_path", ""),
        ("_name_or_path", "."),
        ("_name_or_path", "./"),
        ("_name_or_path", "acme/checkpoint-large"),
        ("anything", "./out"),
        ("anything", "/v1/chat/completions"),
        ("anything", "a/b/c"),
        ("anything", "s3://bucket/public.txt"),
        ("model_file", "model.onnx"),
        ("path", "1_Pooling"),
        ("path", "/"),
        ("chat_template", "/home/{{ x }}"),
        (None, "/tmp/x"),
        (None, "~/.vimrc"),
        ("separator", "C:\\n"),
    ],
)
def test_not_local(key: str | None, value: str) -> None:
    assert not is_local(key, value)


def test_escapes_and_places() -> None:
    text = '{\n "a": "x",\n "special_tokens_map_file": "C:\\\\Users\\\\me\\\\m.json"\n}'
    [found] = find_local_paths(text)
    assert found.value == "C:\\Users\\me\\m.json"
    assert text[found.offset] == '"'


def test_quotation_marks_without_end_take_no_time() -> None:
    started = time.perf_counter()
    list(find_local_paths("/" + '"a' * 200_000))
    list(find_local_paths('/"' + "\\" * 200_000))
    assert time.perf_counter() - started < 2
