"""`hubpub whoami`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hubpub.cli.output import format_options, print_json
from hubpub.cli.release import hub_option, notifier, target_of, token_wish

if TYPE_CHECKING:
    from hubpub.publish.identity import Identity
    from hubpub.publish.target import Target


@click.command()
@click.option("--repo-id", "--repo", metavar="NS/NAME", help="Also tell whether the token may publish there.")
@hub_option
@format_options
def whoami(repo_id: str | None, hub: str | None, token_file: Path | None, keyless: bool, output_format: str) -> int:
    """Show whose token would be used, where it was found, and where it may publish. Never shows the token.

    The first of these that there is: --token-file, the exchange of a CI job's id token (--keyless), HF_TOKEN, the file
    that `hf auth login` wrote, the keyring, Colab's secret HF_TOKEN.

    \b
    Examples:
      hubpub whoami
      hubpub whoami --repo acme/model                 # exit code 3: it may not, and which layer says so
      hubpub whoami --json | jq '.may_publish_to'
    """
    from hubpub.publish.client import HubClient
    from hubpub.publish.preflight import check_may_publish, sign_in
    from hubpub.publish.target import parse_repo_id
    from hubpub.report.excerpt import printable

    if repo_id:
        parse_repo_id(repo_id)
    with target_of(hub, None, wish=token_wish(token_file, keyless, repo_id)) as target:
        client = HubClient(target, notify=notifier(output_format))
        identity = sign_in(client, repo_id)
        if output_format == "text":
            for line in _lines(identity, target):
                click.echo(printable(line))
        if repo_id:
            check_may_publish(client, identity, repo_id, exists=client.head(repo_id, "main") is not None)
    if output_format == "json":
        print_json(_document(identity, target))
    elif repo_id:
        click.echo(f"  {repo_id}: may be published to")
    return 0


def _lines(identity: Identity, target: Target) -> Iterator[str]:
    full = f" ({identity.fullname})" if identity.fullname not in ("", identity.name) else ""
    yield f"{identity.name}{full} on {target.endpoint}"
    named = f" {identity.token_name!r}" if identity.token_name else ""
    until = f", until {identity.expires}" if identity.expires else ""
    yield f"  token           {identity.token_kind}{named}, from {target.token_source}{until}"
    for scope in identity.scopes:
        yield f"  scope           {scope.kind} {scope.name}: {', '.join(sorted(scope.permissions)) or 'nothing'}"
    if identity.everywhere:
        yield f"  scope           everywhere: {', '.join(sorted(identity.everywhere))}"
    for org in identity.organisations:
        title = f" “{org.title}”" if org.title != org.name else ""
        barred = f"; asks for {' and '.join(org.restrictions)}" if org.restrictions else ""
        yield f"  organisation    {org.name}{title} ({org.role or 'role unknown'}{barred})"
        for group, role in org.groups.items():
            yield f"  resource group  {org.name}: {group} ({role})"
    places = [*identity.open_namespaces(), *identity.open_repos()]
    yield f"  may publish to  {', '.join(places) or 'nowhere'}"


def _document(identity: Identity, target: Target) -> dict[str, Any]:
    return {
        "schema": "hubpub.whoami/1",
        "endpoint": target.endpoint,
        "user": identity.name,
        "kind": identity.kind,
        "fullname": identity.fullname or None,
        "token_source": target.token_source,
        "token_role": identity.token_role,
        "token_name": identity.token_name,
        "token_expires": identity.expires,
        "scopes": [
            {"kind": scope.kind, "name": scope.name, "permissions": sorted(scope.permissions)}
            for scope in identity.scopes
        ],
        "scopes_everywhere": sorted(identity.everywhere),
        "organisations": dict(identity.orgs),
        "organisation_details": [
            {
                "name": org.name,
                "title": org.title,
                "role": org.role,
                "restrictions": list(org.restrictions),
                "resource_groups": dict(org.groups),
            }
            for org in identity.organisations
        ],
        "may_publish_to": identity.open_namespaces(),
        "may_publish_to_repos": identity.open_repos(),
    }
