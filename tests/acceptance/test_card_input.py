"""A release with what people bring: card.yaml, templates of the project, and results for leaderboards."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from huggingface_hub import parse_eval_result_entries
from support.command import CommandHub


def test_answers_and_templates_reach_the_hub_and_card_yaml_does_not(
    hub: CommandHub, plain_copy: Path, tmp_path: Path
) -> None:
    (plain_copy / "card.yaml").write_text(
        "license: mit\nlanguage: en\nsections:\n  limitations-and-bias: It takes irony at its word.\n"
    )
    results = {
        "results": {"gsm8k": {"exact_match,strict-match": 0.25}},
        "configs": {"gsm8k": {"dataset_path": "openai/gsm8k"}},
        "versions": {},
    }
    (plain_copy / "results_x.json").write_text(json.dumps(results))
    project = tmp_path / "project"
    (project / "templates" / "sections").mkdir(parents=True)
    (project / "hubpub.toml").write_text("")
    (project / "templates/sections/intended-uses.md.jinja").write_text("## Intended uses\n\nAsk {{ facts.name }}.\n")
    config = ("--config", project / "hubpub.toml")

    written = hub.hubpub("card", plain_copy, "--repo-id", "acme/model", "--write", *config)
    assert written.code == 0, written.stderr
    pushed = hub.hubpub("push", plain_copy, "--org", "acme", "--name", "model", "--json", *config)
    assert pushed.code == 0, pushed.stderr
    files = set(hub.api().list_repo_files("acme/model"))
    assert ".eval_results/gsm8k.yaml" in files
    assert "card.yaml" not in files
    text = hub.read("acme/model", "README.md").decode()
    assert "## Intended uses\n\nAsk model.\n" in text
    assert "It takes irony at its word." in text
    (entry,) = parse_eval_result_entries(yaml.safe_load(hub.read("acme/model", ".eval_results/gsm8k.yaml")))
    assert (entry.dataset_id, entry.task_id, entry.value) == ("openai/gsm8k", "gsm8k", 0.25)

    (plain_copy / "README.md").unlink()
    rendered = hub.hubpub("push", plain_copy, "--org", "acme", "--name", "other", *config)
    assert rendered.code == 0, rendered.stderr
    assert "Ask other." in hub.read("acme/other", "README.md").decode()

    (project / "templates/sections/intended-uses.md.jinja").write_text("{{ facts.nam }}")
    broken = hub.hubpub("push", plain_copy, "--org", "acme", "--name", "third", *config)
    assert broken.code == 2
    assert "intended-uses.md.jinja:1: CardFacts has no attribute 'nam'; did you mean name?" in broken.stderr
    assert "acme/third" not in hub.repos()
