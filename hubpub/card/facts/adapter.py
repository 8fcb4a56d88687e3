"""How an adapter of PEFT is built, as its adapter_config.json says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubpub.card.facts.sourced import Value, source_of


def adapter_settings(adapter: Mapping[str, Any]) -> tuple[Value, ...]:
    """The settings that adapter_config.json has, in the words of the card."""
    adaptive = adapter.get("peft_type") == "ADALORA"
    named = (
        ("Method", "peft_type"),
        # AdaLoRA begins with one rank and ends with another; `r` is none of them
        *((("Initial rank", "init_r"), ("Target rank", "target_r")) if adaptive else (("Rank", "r"),)),
        ("Block size", "oft_block_size"),
        ("Alpha", "lora_alpha"),
        ("Alpha", "alpha"),
        ("Dropout", "lora_dropout"),
        ("Target modules", "target_modules"),
        ("Feed-forward modules", "feedforward_modules"),
        ("Modules saved in full", "modules_to_save"),
        ("Bias", "bias"),
        ("DoRA", "use_dora"),
        ("rsLoRA", "use_rslora"),
        ("Virtual tokens", "num_virtual_tokens"),
    )
    found = ((name, _joined(adapter.get(key)), source_of("adapter_config.json", key)) for name, key in named)
    return tuple(
        Value(name, value, source)
        for name, value, source in found
        if isinstance(value, int | float | str)
        and value is not False
        and value not in ("", "none")
        # OFT is told the one of rank and block size, and has 0 for the other
        and not (name in ("Rank", "Block size") and value == 0)
    )


def _joined(value: Any) -> Any:
    return ", ".join(sorted(map(str, value))) if isinstance(value, list) else value
