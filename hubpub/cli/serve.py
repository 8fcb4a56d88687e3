"""`hubpub serve`: run the embedded hub until it is told to stop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hubpub.cli.local_hub import PORT, local_root

if TYPE_CHECKING:
    from hubpub.hub.server import Hub


@click.command()
@click.option("--root", type=click.Path(path_type=Path), help="Data folder.  [default: in the user data folder]")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(0, 65535), help="0: any free port.")
@click.option("--url", help="Address that clients use, if another.")
@click.option("--token", "tokens", multiple=True, metavar="TOKEN=USER:ROLE", help="A token: read or write.")
@click.option("--org", "orgs", multiple=True, metavar="ORG=USER:ROLE,...", help="An organisation.")
@click.option("--accounts", type=click.Path(path_type=Path), help="TOML or JSON file of users, orgs and tokens.")
def serve(
    root: Path | None,
    host: str,
    port: int,
    url: str | None,
    tokens: tuple[str, ...],
    orgs: tuple[str, ...],
    accounts: Path | None,
) -> None:
    """Run a Hub on this machine: rehearse a release, or keep models private.

    The first line on stdout is its address. Without a token, one for the user `local` is made and shown.

    \b
    Examples:
      hubpub serve                                    # what `push --hub local` published
      hubpub serve --root DIR --port 8000 --token hf_abc=alice:write --token hf_ro=alice:read
      hubpub serve --token hf_abc=alice:write --org acme=alice:admin,bob:read
    """
    from hubpub.hub.accounts import Accounts, AccountsFile, load_accounts, new_token_text, parse_org, parse_token
    from hubpub.hub.config import HubConfig
    from hubpub.hub.server import is_loopback
    from hubpub.hub.server import serve as run

    declared = load_accounts(accounts) if accounts else AccountsFile()
    known = [*declared.tokens, *map(parse_token, tokens)]
    new_token = None if known else new_token_text()
    if new_token:
        known.append(parse_token(f"{new_token}=local:write"))
    everyone = Accounts.of(known, [*declared.orgs, *map(parse_org, orgs)], declared.users)
    if not is_loopback(host):
        click.echo(
            f"WARNING: {host} can be reached from other machines, over plain http: "
            "tokens and models travel unencrypted. Put a TLS proxy in front, or use 127.0.0.1.",
            err=True,
        )

    def ready(hub: Hub) -> None:
        click.echo(hub.endpoint)
        if new_token:
            click.echo(f"export HF_ENDPOINT={hub.endpoint} HF_TOKEN={new_token}", err=True)

    run(HubConfig(root or local_root(), host, port, url), everyone, ready)
