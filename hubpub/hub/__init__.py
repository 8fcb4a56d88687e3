"""The embedded hub: a Hub-compatible server in one process, for rehearsal, tests and private use.

`running` starts one in the background of this process, `serve` runs one until it is told to stop. What it
answers is what huggingface_hub 2.4 and hf-xet 1.8 need to publish to it and to load from it; what it keeps
lives in real git repositories and content-addressed files under one folder (see `hubpub.hub.store.data_root`).

Only `cli/`, `publish/` (for `--hub local`) and the tests start it. Importing this package imports no server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hubpub.hub.access.accounts import Org, Role, User
    from hubpub.hub.access.accounts_file import AccountsFile, load_accounts, parse_org, parse_token
    from hubpub.hub.access.fine_grained import Grants, Scope
    from hubpub.hub.access.tokens import Token, TokenRole
    from hubpub.hub.config import HubConfig, Limits
    from hubpub.hub.server import Hub, running, serve
    from hubpub.hub.web.faults import Fault, parse_fault, parse_faults

__all__ = [
    "AccountsFile",
    "Fault",
    "Grants",
    "Hub",
    "HubConfig",
    "Limits",
    "Org",
    "Role",
    "Scope",
    "Token",
    "TokenRole",
    "User",
    "load_accounts",
    "parse_fault",
    "parse_faults",
    "parse_org",
    "parse_token",
    "running",
    "serve",
]

_HOMES = {
    "access.accounts": {"Org", "Role", "User"},
    "access.accounts_file": {"AccountsFile", "load_accounts", "parse_org", "parse_token"},
    "config": {"HubConfig", "Limits"},
    "web.faults": {"Fault", "parse_fault", "parse_faults"},
    "access.fine_grained": {"Grants", "Scope"},
    "access.tokens": {"Token", "TokenRole"},
    "server": {"Hub", "running", "serve"},
}


def __getattr__(name: str) -> Any:
    """Import the module that a public name lives in when the name is first used."""
    from importlib import import_module

    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
