"""What hubpub writes as front matter, asked of the hub that is to take it."""

from __future__ import annotations

import requests
from support.running_hub import TestHub

from hubpub.card.answers.card_input import CardInput
from hubpub.card.facts.card_facts import CardFacts
from hubpub.card.facts.chat import ChatFacts
from hubpub.card.hub_lists import pipeline_tags
from hubpub.card.writing.render import render_card

KINDS = ("transformers", "adapter", "sentence-transformers", "diffusers", "gguf", "onnx", "timm", "spacy", "other")


def test_every_kind_of_model_and_every_task_is_taken(hub: TestHub) -> None:
    facts = [
        CardFacts(
            name="tiny",
            repo_id="acme/tiny",
            kind=kind,
            library_name="transformers",
            pipeline_tag=task,
            mask_token="[MASK]",
            license="mit",
            language=("en",),
            base_model="acme/base",
            base_model_relation="finetune",
            chat=ChatFacts("chat_template.jinja") if task == "text-generation" else None,
            answers=CardInput({"tags": ["a"], "extra_gated_fields": {"Company": "text"}}, {"glossary": "Words."}),
        )
        for kind in KINDS
        for task in (pipeline_tags() if kind == "transformers" else ("text-generation", "fill-mask"))
    ]
    with requests.Session() as session:
        for one in facts:
            body = {"content": render_card(one), "repoType": "model"}
            answer = session.post(f"{hub.endpoint}/api/validate-yaml", json=body, timeout=20)
            assert (answer.status_code, answer.json()) == (200, {"errors": [], "warnings": []}), one
