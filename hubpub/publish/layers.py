"""Which layer refuses, by what a hub says: the token, its scopes, a role, a policy, the repo, or a quota.

Hubs answer 403 to all of them; only the words differ. Those of the public Hub are from its documentation
(https://huggingface.co/docs/hub/security-tokens, https://huggingface.co/docs/hub/enterprise-tokens-management) and from
issues of huggingface_hub.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Layer(NamedTuple):
    """What refuses, and what to do about it."""

    name: str
    next_step: str


_POLICY = "organisation policy"
_SAYS: tuple[tuple[str, Layer], ...] = (
    (
        r"only accepts? fine-grained|fine-grained tokens? only|(read|write) tokens are denied",
        Layer(_POLICY, "make a fine-grained token with repo.write for that organisation, and use it"),
    ),
    (
        r"needs? to be approved by|pending approval",
        Layer(_POLICY, "ask an administrator of the organisation to approve the token"),
    ),
    (
        r"revoked by the organi[sz]ation",
        Layer(_POLICY, "ask an administrator of the organisation, or make a new token"),
    ),
    (
        r"forbids the creation of public|public (repositor\w+|repos|models) (is|are) (not allowed|disabled)",
        Layer(_POLICY, "publish with --private, or ask an administrator of the organisation to allow public repos"),
    ),
    (
        r"\bmfa\b|multi-factor|two-factor|\b2fa\b|\bsso\b|single sign-on",
        Layer(_POLICY, "sign in to the organisation as it asks for, on the hub's pages, then make a new token"),
    ),
    (
        r"resource group",
        Layer(_POLICY, "have the repo created in a resource group in which you may write, then run this again"),
    ),
    (
        r"\bquota\b|storage (limit|space|capacity)|(limit|exceed)\w*\b.{0,40}\bstorage|payment required",
        Layer("quota", "free space in the namespace, or have its plan changed; `hubpub plan` tells the bytes to send"),
    ),
    (
        r"access to this resource is disabled|repository is disabled",
        Layer("repo", "ask the hub's staff why it was disabled; nobody can publish to it"),
    ),
    (
        r"fine-grained token|missing (scope|permission)s?\b|insufficient (scope|permission)s?\b",
        Layer("scope", "add repo.write for it to the token's permissions in the hub's settings, or use another token"),
    ),
    (
        r"use a write token|write token|read-only token|trusted publisher",
        Layer("token", "use a token with write permission; `hubpub whoami` shows what this one may do"),
    ),
    (
        r"your role|rights to create|not (a member|authori[sz]ed)|you don.?t have",
        Layer("role", "ask an administrator of the organisation for a role that may write"),
    ),
)


def layer_of(status: int, said: str) -> Layer | None:
    """The layer that a refusal is of; None when the words do not tell."""
    found = next((layer for words, layer in _SAYS if re.search(words, said, re.IGNORECASE)), None)
    if found is None and status == 402:
        return next(layer for _, layer in _SAYS if layer.name == "quota")
    return found
