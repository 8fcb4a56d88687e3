"""What templates leave in the metadata for somebody to replace: `license: license`, `{license}`, "lang1"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hubpub.card.metadata.frontmatter import FrontMatter
from hubpub.card.metadata.yaml_block import Path
from hubpub.card.placeholders import is_identifier_placeholder, is_unrendered
from hubpub.core.pattern import Pattern

# The sample of https://huggingface.co/docs/hub/model-cards and the specification's own, see
# https://github.com/huggingface/hub-docs/blob/main/modelcard.md; TRL and others write the name of the key.
_SAMPLES = {
    "license": {"license", "licence", "any valid license identifier", "your-license", "your license"},
    "license_name": {"license_name"},
    "license_link": {"license_link"},
    "language": {"language", "lang1", "lang2", "list of iso 639-1 code for your language"},
    "library_name": {"library_name"},
    "pipeline_tag": {"pipeline_tag"},
    "tags": {"tag1", "tag2"},
    "datasets": {"dataset1", "dataset2", "dataset_name", "your-dataset"},
    "metrics": {"metric1", "metric2"},
    "base_model": {"base_model", "base model hub identifier", "your-base-model"},
    "new_version": {"new_version"},
    "thumbnail": {"url to a thumbnail used in social sharing"},
}
_ANYWHERE = Pattern(
    r"\{[A-Za-z_]\w{0,40}\}|<[A-Za-z][\w .-]{0,60}>|\[?(?:more information needed|todo|tbd|fixme)\b.{0,80}",
    re.IGNORECASE,
    clues=("{", "<", "more information", "todo", "tbd", "fixme"),
)
_NAME = Pattern(r"[A-Za-z_]+(?:_[0-9]+)?")
# A bare {license} is a mapping for YAML. `language: {en: }` is another mistake: somebody's code, not a template's word.
_SHORTEST_NAME = 4


def metadata_placeholders(front_matter: FrontMatter) -> Iterator[tuple[Path, str]]:
    """The values that a template left, with where they are; those of templates that were not rendered aside."""
    for key in _SAMPLES:
        value = (front_matter.hub_data or {}).get(key)
        items: list[tuple[Path, Any]] = [((key,), value)]
        if isinstance(value, list):
            items = [((key, index), item) for index, item in enumerate(value)]
        for path, item in items:
            if is_metadata_placeholder(path, item):
                yield path, str(item) if isinstance(item, str) else "{" + next(iter(item)) + "}"


def is_metadata_placeholder(path: Path, value: Any) -> bool:
    """Whether a template left the value at `path`."""
    samples = _SAMPLES.get(str(path[0])) if path else None
    if samples is None:
        return False
    if isinstance(value, dict):
        name = next(iter(value), "")
        return len(value) == 1 and value[name] is None and len(name) >= _SHORTEST_NAME and bool(_NAME.fullmatch(name))
    if not isinstance(value, str) or is_unrendered(value) or is_identifier_placeholder(value):
        return False
    return value.casefold().strip() in samples or bool(_ANYWHERE.fullmatch(value.strip()))
