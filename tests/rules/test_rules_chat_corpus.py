"""Chat templates of real models, when they are at hand: each finding was looked at, and is true."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.judging import judge_folder

from hubpub.core.findings import Finding

_BESIDE = Path(__file__).parents[2].parent / "shared" / "corpus" / "chat-templates"
PATHS = sorted(Path(os.environ.get("HUBPUB_CHAT_TEMPLATES", _BESIDE)).glob("*.jinja"))

pytestmark = pytest.mark.skipif(not PATHS, reason="no real chat templates: HUBPUB_CHAT_TEMPLATES names none")

_TOGETHER = 6  # one child process answers for all templates of a folder

# Templates that llama.cpp keeps for itself: what they use there, transformers does not have.
TRUE = {
    "CohereForAI-c4ai-command-r-plus-tool_use.jinja": ("CHAT003", "warning"),  # takes conversations with tools only
    "Kimi-K2-Instruct.jinja": ("CHAT003", "warning"),  # list.append
    "Kimi-K2-Thinking.jinja": ("CHAT003", "warning"),  # list.append
    "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use.jinja": (
        "CHAT003",
        "warning",
    ),  # takes conversations with tools only
    "NousResearch-Hermes-3-Llama-3.1-8B-tool_use.jinja": ("CHAT003", "warning"),  # the same
    "deepseek-ai-DeepSeek-V3.2.jinja": ("CHAT002", "warning"),  # from_json
    "deepseek-ai-DeepSeek-V4-Flash-0731.jinja": ("CHAT002", "warning"),  # from_json
    "deepseek-ai-DeepSeek-V4.jinja": ("CHAT002", "warning"),  # from_json
    "fireworks-ai-llama-3-firefunction-v2.jinja": ("CHAT003", "warning"),  # needs the variable functions
}


def test_no_false_alarm(tmp_path: Path) -> None:
    found: dict[str, list[tuple[str, str]]] = {}
    for start in range(0, len(PATHS), _TOGETHER):
        together = tmp_path / str(start)
        for path in PATHS[start : start + _TOGETHER]:
            (together / path.name).mkdir(parents=True)
            (together / path.name / "chat_template.jinja").write_bytes(path.read_bytes())
        for result in judge_folder(together):
            assert isinstance(result, Finding)
            if result.severity != "info" and result.rule.startswith("CHAT"):
                name = (result.path or "").partition("/")[0]
                found.setdefault(name, []).append((result.rule, result.severity.value))
    assert found == {path.name: [TRUE[path.name]] for path in PATHS if path.name in TRUE}
