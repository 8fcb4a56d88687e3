"""Cards as templates with managed regions render them, from a few facts that tests choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hubpub.card.gaps import write_gap
from hubpub.card.metadata.yaml_text import dump
from hubpub.card.regions import stamp

SECTIONS = {
    "Model description": "model-description",
    "Intended uses & limitations": "intended-uses",
    "How to use": "how-to-use",
    "Limitations and bias": "limitations-and-bias",
    "Training data": "training-data",
    "Training procedure": "training-procedure",
    "Evaluation results": "evaluation-results",
}

METADATA = {"license": "mit", "language": ["en", "no"], "library_name": "transformers", "tags": ["a", "b"]}

REGIONS: dict[str, dict[str, str]] = {
    "Model description": {
        "summary": "A model of 12 parameters.",
        "properties": "| Property | Value |\n|---|---|\n| Layers | 2 |",
    },
    "How to use": {"usage": "```python\nfrom transformers import pipeline\n\npipe = pipeline(model='acme/x')\n```"},
    "Training procedure": {"run": "| Run | Value |\n|---|---|\n| Loss | 0.5 |"},
    "Evaluation results": {"results": "Measured on 10 examples:\n\n| Metric | Value |\n|---|---|\n| f1 | 0.9 |"},
}
GAPS = ("Intended uses & limitations", "Limitations and bias", "Training data")


def managed_card(
    regions: Mapping[str, Mapping[str, str]] = REGIONS,
    *,
    metadata: Mapping[str, Any] = METADATA,
    gaps: Sequence[str] = GAPS,
    sections: Sequence[str] = tuple(SECTIONS),
) -> str:
    """A rendered card, stamped: per section its regions and then its gap."""
    parts = [f"---\n{dump(metadata)}---\n\n# x\n" if metadata else "# x\n"]
    for heading in sections:
        parts.append(f"\n## {heading}\n")
        for name, content in regions.get(heading, {}).items():
            parts.append(f"\n<!-- hubpub:begin {name} -->\n{content}\n<!-- hubpub:end {name} -->\n")
        if heading in gaps:
            slot = SECTIONS.get(heading, heading.lower())
            parts.append(f"\n{write_gap(slot, f'what to say of {slot}')}\n")
    return stamp("".join(parts))


def with_regions(heading: str, **more: str) -> dict[str, dict[str, str]]:
    """`REGIONS` with regions of a section added or replaced."""
    return {**REGIONS, heading: {**REGIONS.get(heading, {}), **more}}
