"""The usage snippets: each is pushed with its model to an embedded hub and run against it, from an empty cache."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from support import run_snippets, tiny_runs, usage_models
from support.linting import findings_of
from support.running_hub import TestHub, hubs

from hubpub.card.document import Card
from hubpub.card.facts.card_facts import CardFacts
from hubpub.card.facts.collect import card_facts
from hubpub.card.writing.render import render_card
from hubpub.core.settings import CardSettings
from hubpub.model.folder import ModelFolder
from hubpub.rules.registry import CardSubject

pytestmark = pytest.mark.timeout(900)  # three children that load torch, when the machine is busy

# What each snippet prints, as a pattern; an untrained model says anything.
SHAPE = r"torch\.Size\(\[1, \d+, 32\]\)"
FLOAT = r"-?\d+\.\d+(?:e-\d+)?"


def labelled(labels: str) -> str:
    return rf"{{'label': '{labels}', 'score': {FLOAT}}}"


EXPECTED = {
    "acme/tiny-bert": rf"(?:\S+ {FLOAT}\n){{5}}",
    "acme/tiny-base": r"Once upon a time.+",
    "text_classifier": rf"\[{labelled('(?:positive|negative)')}\]\n",
    "token_classifier": rf"(?:.+ (?:PER|LOC) {FLOAT}\n)*",
    "chat_lm": r".+",
    "adapter": r"Once upon a time.+",
    "seq2seq": r"born in .+",
    "bart": r".+",
    "embedder": rf"tensor\(\[\[(?:[^\]]*{FLOAT}){{3}}[^\]]*\],.*",
    "image_classifier": rf"(?:{labelled('(?:red|green|blue)')}\n){{3}}",
    "masked": rf"(?:\S+ {FLOAT}\n){{5}}",
    "distilbert": rf"(?:\S+ {FLOAT}\n){{5}}",
    "reward": rf"{FLOAT}\n",
    "several-labels": rf"\[(?:{labelled('[abc]')}(?:, )?){{3}}\]\n",
    "pairs": rf"\[?{labelled('(?:entailment|contradiction)')}\]?\n",
    "question-answering": r".*\n",
    "multiple-choice": r"(?:Air|Bread) .+\n",
    "features": rf"{SHAPE}.*torch\.Size\(\[1, 32\]\)\n",
    "t5-encoder": rf"{SHAPE}.*torch\.Size\(\[1, 32\]\)\n",
    "llama-features": rf"{SHAPE}\n",
    "own-code": r"torch\.Size\(\[1, \d+, 8\]\).*",
    "next-sentence": r"[\d,]+ parameters\n",
    "no-processor": r"[\d,]+ parameters\n",
    "gpt2": r"Once upon a time.+",
    "qwen3": r".+",
    "marian": r".*\n",
    "t5": r".*\n",
    "segments": r"(?:{.*'mask': .*}\n)+",
    "objects": r"(?:{.*'box': .*}\n)*",
    "depth": r"torch\.Size\(\[.*\]\)\n",
    "image-features": SHAPE + r"\n",
    "film": r"LABEL_\d\n",
    "clip": rf"\[(?:{{'score': {FLOAT}, 'label': 'an? \w+'}}(?:, )?){{3}}\]\n",
    "ctc": r"{'text': '.*'}\n",
    "whisper": r"{'text': .*}\n",
    "sound-classifier": rf"\[(?:{{'score': {FLOAT}, 'label': 'LABEL_\d'}}(?:, )?){{2}}\]\n",
    "vits": r"\((?:1, )?\d+,?\) 16000\n",
    "llava": r".*\n",
    "captioner": r".*\n",
    "cross-encoder": r"\[\s*(?:\S+\s*){2}\]\n",
    "sparse-encoder": r"tensor\(.*\[\(.*\)\]\n",
    "prompted": rf"tensor\(\[\[\s*{FLOAT},\s*{FLOAT}\]\]\)\n",
    "adapter-classifier": r"tensor\(\[[012]\]\)\n",
    "adapter-tagger": r"tensor\(\[\[[0-4](?:, [0-4])+\]\]\)\n",
    "adapter-seq2seq": r".*\n",
    "onnx": r"logits \(1, \d+\)\n",
    "adapter-mapped": r"[\d,]+ parameters\n",
}


class Used(NamedTuple):
    """What became of the snippet of a model."""

    text: str
    code: int
    stdout: str
    stderr: str


@pytest.fixture(scope="module")
def usage_folders(tmp_path_factory: pytest.TempPathFactory, tiny_runs: Path) -> Path:
    folder = tmp_path_factory.mktemp("usage")
    done = subprocess.run(
        [sys.executable, usage_models.__file__, folder], capture_output=True, text=True, check=False, timeout=400
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestHub]:
    with hubs(tmp_path_factory) as start:
        yield start()


def facts_of(folder: Path, repo: str, language: tuple[str, ...] = ()) -> CardFacts:
    return card_facts(
        ModelFolder.open(folder), repo_id=repo, settings=CardSettings(license="mit", language=language or ("en",))
    )


def blocks_of(text: str, language: str = "python") -> list[str]:
    return [block.text for block in Card.parse(text).blocks if block.kind == "code" and block.language == language]


def runs_here(name: str) -> bool:
    return name != "onnx" or importlib.util.find_spec("onnxruntime") is not None


@pytest.fixture(scope="module")
def used(
    hub: TestHub, tiny_runs: Path, usage_folders: Path, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Used]:
    """Every model is pushed, and the Python block of its card is run."""
    texts, code = {}, {}
    for name in EXPECTED:
        folder = (tiny_runs if (tiny_runs / name).is_dir() else usage_folders) / name
        repo = name if "/" in name else f"acme/{name}"
        texts[name] = render_card(facts_of(folder, repo))
        if not runs_here(name):
            continue
        (code[name],) = blocks_of(texts[name])
        hub.api().create_repo(repo)
        ignored = ["checkpoint-*", "training_args.bin", "README.md"]
        hub.api().upload_folder(repo_id=repo, folder_path=folder, ignore_patterns=ignored)
    files = [tmp_path_factory.mktemp("snippets") / name for name in ("snippets.json", "results.json")]
    files[0].write_text(json.dumps(code))
    done = subprocess.run(
        [sys.executable, run_snippets.__file__, *files],
        env=hub.env(TOKENIZERS_PARALLELISM="false"),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(files[1].read_text())
    return {name: Used(text, *results.get(name, (0, "", ""))) for name, text in texts.items()}


def test_every_model_is_used() -> None:
    assert EXPECTED.keys() == tiny_runs.RUNS.keys() | usage_models.MODELS.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_the_snippet_runs_as_it_stands(name: str, used: Mapping[str, Used]) -> None:
    if not runs_here(name):
        pytest.skip("onnxruntime is not installed")
    done = used[name]
    assert done.code == 0, done.stderr
    assert re.fullmatch(EXPECTED[name], done.stdout, re.DOTALL), done.stdout


@pytest.mark.parametrize("name", EXPECTED)
def test_the_linter_has_nothing_to_say_of_the_snippet(
    name: str, used: Mapping[str, Used], tiny_runs: Path, usage_folders: Path
) -> None:
    folder = ModelFolder.open((tiny_runs if (tiny_runs / name).is_dir() else usage_folders) / name)
    repo = name if "/" in name else f"acme/{name}"
    findings = findings_of(CardSubject(Card.parse(used[name].text), folder=folder, repo_id=repo), "USAGE")
    assert [(found.rule, found.message) for found in findings if found.rule != "USAGE012"] == []
