"""`hubpub whoami`."""

from __future__ import annotations

import click

from hubpub.cli.output import format_options, print_json


@click.command()
@click.option("--hub", metavar="URL", help="Hub to ask; default: HF_ENDPOINT, else the public Hub.")
@format_options
def whoami(hub: str | None, output_format: str) -> int:
    """Show whose token would be used, where it was found, and where it may publish. Never shows the token.

    \b
    Examples:
      hubpub whoami
      hubpub whoami --json | jq '.organisations'
    """
    from hubpub.publish.client import HubClient
    from hubpub.publish.preflight import open_namespaces
    from hubpub.publish.target import find_target

    target = find_target(hub)
    identity = HubClient(target).whoami()
    namespaces = open_namespaces(identity)
    if output_format == "json":
        print_json(
            {
                "schema": "hubpub.whoami/1",
                "endpoint": target.endpoint,
                "user": identity.name,
                "token_source": target.token_source,
                "token_role": identity.token_role,
                "organisations": identity.orgs,
                "may_publish_to": namespaces,
            }
        )
        return 0
    click.echo(f"{identity.name} on {target.endpoint}")
    click.echo(f"  token           {identity.token_role or 'role unknown'}, from {target.token_source}")
    for org, role in identity.orgs.items():
        click.echo(f"  organisation    {org} ({role or 'role unknown'})")
    click.echo(f"  may publish to  {', '.join(namespaces) or 'nowhere'}")
    return 0
