"""`hubpub serve`: run the embedded hub until it is told to stop."""

from __future__ import annotations

import contextlib
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
@click.option("--faults", multiple=True, metavar="FILE|RULE", help="Make requests go wrong: 'preupload: 429 first=2'.")
@click.option("--admin-token", envvar="HUBPUB_ADMIN_TOKEN", help="Opens the admin route, to change faults meanwhile.")
@click.option(
    "--accounts",
    type=click.Path(path_type=Path),
    help="TOML or JSON file of users, orgs and tokens; followed while it changes.",
)
@click.option("--fsck", "wants_fsck", is_flag=True, help="Check the data folder instead; exit 1 if it is damaged.")
@click.option("--gc", "wants_gc", is_flag=True, help="Remove uploads and commits that nothing leads to instead.")
@click.option(
    "--gc-age", default=24.0, show_default=True, metavar="HOURS", type=click.FloatRange(0), help="Keep newer."
)
@click.option("--json", "as_json", is_flag=True, help="Report of --fsck or --gc as JSON.")
def serve(
    root: Path | None,
    host: str,
    port: int,
    url: str | None,
    tokens: tuple[str, ...],
    orgs: tuple[str, ...],
    faults: tuple[str, ...],
    admin_token: str | None,
    accounts: Path | None,
    wants_fsck: bool,
    wants_gc: bool,
    gc_age: float,
    as_json: bool,
) -> int:
    """Run a Hub on this machine: rehearse a release, or keep models private.

    The first line on stdout is its address. Without a token, one for the user `local` is made and shown.

    \b
    Examples:
      hubpub serve                                    # what `push --hub local` published
      hubpub serve --root DIR --port 8000 --token hf_abc=alice:write --token hf_ro=alice:read
      hubpub serve --token hf_abc=alice:write --org acme=alice:admin,bob:read
      hubpub serve --root DIR --fsck                  # is everything committed still there, byte for byte?
      hubpub serve --faults 'preupload: 429 first=2' --faults 'POST /api/**: drop p=0.1 seed=7'
    """
    if wants_fsck or wants_gc:
        return _look_after(root or local_root(), gc_age, wants_fsck=wants_fsck, wants_gc=wants_gc, as_json=as_json)
    if as_json:
        raise click.UsageError("--json is for --fsck and --gc")
    from hubpub.hub.access.accounts_file import AccountsFile, parse_org, parse_token
    from hubpub.hub.access.accounts_watch import AccountsWatch
    from hubpub.hub.access.tokens import new_token_text
    from hubpub.hub.config import HubConfig
    from hubpub.hub.server import is_loopback
    from hubpub.hub.server import serve as run
    from hubpub.hub.web.faults import load_faults

    watch = AccountsWatch(accounts, _tell) if accounts else None
    declared = watch.declared if watch else AccountsFile()
    known = [*map(parse_token, tokens)]
    new_token = None if known or declared.tokens else new_token_text()
    if new_token:
        known.append(parse_token(f"{new_token}=local:write"))
    everyone = declared.accounts(known, map(parse_org, orgs))
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

    rules = tuple(rule for argument in faults for rule in load_faults(argument))
    config = HubConfig(root or local_root(), host, port, url, faults=rules, admin_token=admin_token)
    run(config, everyone, ready, watch)
    return 0


def _tell(text: str) -> None:
    # The terminal may have gone; the hub is to stay.
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


def _look_after(root: Path, gc_age: float, *, wants_fsck: bool, wants_gc: bool, as_json: bool) -> int:
    from hubpub.cli.maintenance import show_fsck, show_gc

    if wants_fsck and wants_gc:
        raise click.UsageError("--fsck and --gc are two commands: run one after the other")
    return show_fsck(root, as_json=as_json) if wants_fsck else show_gc(root, gc_age, as_json=as_json)
