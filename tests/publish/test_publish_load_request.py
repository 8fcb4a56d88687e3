"""What is asked of a published model so that it is seen to load."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.models import save_plain

from hubpub.card.facts.collect import card_facts
from hubpub.core.settings import CardSettings
from hubpub.model.folder import ModelFolder
from hubpub.publish.load_request import load_request


@pytest.mark.parametrize(
    ("model_type", "architecture", "task"),
    [
        ("bert", "BertModel", "feature-extraction"),
        ("wav2vec2", "Wav2Vec2Model", None),
        ("clap", "ClapModel", None),
        ("bert", "BertForSequenceClassification", "text-classification"),
    ],
)
def test_the_pipeline_of_features_is_asked_of_text_models(
    model_type: str, architecture: str, task: str | None, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    save_plain(model)
    config = json.loads((model / "config.json").read_text()) | {"model_type": model_type}
    (model / "config.json").write_text(json.dumps(config | {"architectures": [architecture]}))
    if model_type != "bert":
        (model / "preprocessor_config.json").write_text('{"sampling_rate": 16000}')
    folder = ModelFolder.open(model)
    facts = card_facts(folder, repo_id="acme/model", settings=CardSettings())
    assert load_request(folder, facts, "acme/model", trust=False)["task"] == task
