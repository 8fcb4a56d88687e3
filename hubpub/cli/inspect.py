"""`hubpub inspect`."""

from __future__ import annotations

import click

from hubpub.cli.output import colour, format_options, print_json


@click.command()
@click.argument("place", metavar="PATH")
@click.option("--depth", default=3, show_default=True, type=click.IntRange(1, 64), help="Levels of modules to show.")
@click.option("--tensors", is_flag=True, help="A line for each tensor too.")
@format_options
def inspect(place: str, depth: int, tensors: bool, output_format: str) -> int:
    """Show what the model PATH consists of: parameters, modules, memory, tokenizer, files.

    PATH is what `hubpub check` takes: a folder, an archive, hf://namespace/name@revision, s3://bucket/model. Only
    headers and small files are read. Modules that repeat are one line.

    \b
    Examples:
      hubpub inspect ./model
      hubpub inspect hf://acme/model --depth 8 --tensors
      hubpub inspect ./model --json | jq .memory.bfloat16
    """
    from hubpub.model.folder import ModelFolder
    from hubpub.model.inspection import inspect_folder
    from hubpub.report.inspection import render_inspection

    inspection = inspect_folder(ModelFolder.open(place))
    if output_format == "json":
        print_json(inspection.to_json())
    else:
        click.echo(render_inspection(inspection, depth=depth, tensors=tensors, style=colour), nl=False)
    return 0
