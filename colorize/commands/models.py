"""`colorize models`: the models that come with the package."""

from __future__ import annotations

import click

from colorize.commands import _shared


@click.command("models", short_help="List the shipped models with their cards.")
@_shared.quiet_option
def command(quiet: bool) -> None:
    """List the shipped models with their cards; with --quiet, their names alone."""
    from colorize.models import available_models

    models = available_models()
    if not models:
        click.echo("This installation holds no models; train one with `colorize train`.", err=True)
    for model in models:
        if quiet:
            click.echo(model.name)
        else:
            click.echo(f"{model.name} ({model.path.stat().st_size / 1e6:.1f} MB)\n\n{model.card}\n")
