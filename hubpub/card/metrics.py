"""Names of metrics: one measure under its many spellings, and which of them lie between 0 and 1."""

from __future__ import annotations

from functools import cache, lru_cache

from hubpub.card.hub_lists import read_data
from hubpub.core.pattern import Pattern

_DECORATION = Pattern(r"[*`#↑↓]+|\((?:%|in %|in percent)\)|%")
_NOT_A_NAME = Pattern(r"[^a-z0-9@]+")
_AVERAGE = Pattern(r"_(?:macro|micro|weighted)$")
_PREFIX = Pattern(r"^(?:eval|test|val|dev)_(?=.)|_score$")


@lru_cache(maxsize=4096)
def metric_id(name: str) -> str:
    """One spelling for a metric: `F1-score`, `eval_f1` and `F1 (%)` are all "f1"; "" for what has no name in it."""
    words = _DECORATION.sub(" ", name[:100].casefold())
    plain = _NOT_A_NAME.sub("_", words).strip("_")
    aliases = _aliases()
    if plain in aliases:
        return aliases[plain]
    bare = _PREFIX.sub("", plain)
    return aliases.get(bare, bare)


@cache
def known_metrics() -> frozenset[str]:
    """The metrics of the evaluate library, and those that training libraries report, as `metric_id` spells them."""
    data = read_data("metrics.json")
    return frozenset((*data["ids"], *data["also"], *data["aliases"].values()))


@cache
def fractions() -> frozenset[str]:
    """Metrics between 0 and 1, which are also written in percent."""
    return frozenset(read_data("metrics.json")["fractions"])


@lru_cache(maxsize=4096)
def hub_metric(metric: str) -> str | None:
    """The id that the Hub lists a metric under, as `metric_id` spells it: rouge2 is one of rouge, f1_macro one of f1.

    One that the Hub does not know, but training libraries report, is its own; None for any other.
    """
    ids = read_data("metrics.json")["ids"]
    general = "rouge" if metric.startswith("rouge") else _AVERAGE.sub("", metric)
    if metric in ids:
        return metric
    return general if general in ids else metric if metric in known_metrics() else None


def is_loss(metric: str) -> bool:
    """Whether a metric, as `metric_id` spells it, is what training makes small and not what users care about."""
    return metric == "loss" or metric.endswith("_loss")


@cache
def _aliases() -> dict[str, str]:
    aliases: dict[str, str] = read_data("metrics.json")["aliases"]
    return aliases
