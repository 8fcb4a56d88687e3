"""Facts with a person's answers in them: what was answered beats what files say, and what follows from it fits."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hubpub.card.facts.licence_text import licence_files
from hubpub.card.facts.model_identity import relation_of
from hubpub.core.pattern import Pattern

if TYPE_CHECKING:
    from hubpub.card.facts.card_facts import CardFacts
    from hubpub.model.folder import ModelFolder

# The Hub links these from the model's page; other names it takes for an address:
# https://github.com/huggingface/hub-docs/blob/main/docs/hub/repositories-licenses.md
_LINKED_FILES = ("LICENSE", "LICENSE.md")
_TITLE_LIMIT = 2000
_TITLE = Pattern(r"[A-Za-z0-9][\w .,()-]{2,78}")
_SAYS_LICENCE = Pattern(r"licen[sc]e|agreement|terms of use", re.IGNORECASE)


def answered(facts: CardFacts, folder: ModelFolder) -> CardFacts:
    """The facts with `facts.answers` in place of what files say, and with a licence that the Hub has no id for."""
    told = facts.answers.metadata
    changes: dict[str, Any] = {
        key: told[key]
        for key in ("license", "library_name", "pipeline_tag", "base_model_relation", "mask_token")
        if key in told
    }
    changes |= {key: tuple(told[key] or ()) for key in ("language", "datasets") if key in told}
    if "base_model" in told:
        parents = tuple(told["base_model"] or ())
        changes["base_model"] = parents[0] if len(parents) == 1 else None
        trained = facts.training or facts.run.configs
        made = relation_of(folder, parents) or ("finetune" if trained else None)
        changes.setdefault("base_model_relation", made if parents else None)
    licence = changes.get("license", facts.license)
    if licence in (None, "other"):
        name, link = _own_licence(folder)
        changes |= {"license_name": told.get("license_name", name), "license_link": told.get("license_link", link)}
    sources = {**facts.sources, **{key: f"answered: {key}" for key in told if key in changes}}
    return replace(facts, **changes, sources=sources)


def _own_licence(folder: ModelFolder) -> tuple[str | None, str | None]:
    """The title, as an id, and the path of a LICENSE file with none of the common licences in it."""
    unknown = [name for name, licence in licence_files(folder).items() if licence is None and name in _LINKED_FILES]
    if len(unknown) != 1:
        return None, None
    lines = (line.strip(" \t#*=-") for line in folder.text(unknown[0], _TITLE_LIMIT).splitlines())
    title = next((line for line in lines if line), "")
    if not _TITLE.fullmatch(title) or not _SAYS_LICENCE.search(title):
        return None, unknown[0]
    return re.sub(r"[^a-z0-9.]+", "-", title.casefold()).strip("-."), unknown[0]
