"""`colorize models`: the models that come with the package, or what any model is made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from colorize.cli import _shared

if TYPE_CHECKING:
    from colorize.colorizer import Colorizer


@click.command("models", short_help="List the shipped models with their cards, or describe a model.")
@click.argument("models", nargs=-1, metavar="[NAME|FILE]...", shell_complete=_shared.complete_model)
@_shared.quiet_option
def command(models: tuple[str, ...], quiet: bool) -> None:
    """List the shipped models with their cards; with --quiet, their names alone.

    With names or files of models: what each is and was trained on, the base that it was built on, and its sha256, by
    which models that are built on it name it (with --quiet, the sha256 alone). Neural networks are described without
    the extra `refine`.
    """
    for model in models:
        lines = identity(model)
        click.echo(lines[0] if quiet else "\n".join([model, *lines]))
    if not models:
        list_shipped(quiet=quiet)


def list_shipped(*, quiet: bool) -> None:
    """Print names, or sizes and cards."""
    from colorize.models import available_models

    models = available_models()
    if not models:
        click.echo("This installation holds no models; train one with `colorize train`.", err=True)
    for model in models:
        if quiet:
            click.echo(model.name)
        else:
            click.echo(f"{model.name} ({model.path.stat().st_size / 1e6:.1f} MB)\n\n{model.card}\n")


def identity(model: str) -> list[str]:
    """Digest, kind, figures of the training, and what was made of a base, each a line or more."""
    from colorize.evaluation.loader import NETWORKS
    from colorize.models import find_model
    from colorize.models.file import model_kind

    path = find_model(model)
    return of_network(path) if model_kind(path) in NETWORKS else of_colorizer(_shared.load_colorizer(model))


def of_network(path: Path) -> list[str]:
    """Identity of a rival or refiner."""
    from colorize.evaluation.loader import describe, network_facts
    from colorize.models.file import stated_digest

    facts = network_facts(path)
    base = facts.pop("base_sha256", None)
    name = shipped_name(base)
    lines = [] if base is None else [f"Base: {base} ({name})" if name else f"Base: {base}"]
    return [stated_digest(path), describe(facts), *lines]


def of_colorizer(colorizer: Colorizer) -> list[str]:
    """Identity of a classical model."""
    from colorize.evaluation.loader import describe
    from colorize.models.format import digest
    from colorize.training.base import describe_choice

    made = {"kind": "classical", "classifier": colorizer.classifier, "families": ",".join(colorizer.families)}
    if "semantic" in colorizer.families:
        made |= {"encoder_share": f"{colorizer.encoder_share_:.2f}"}
    made |= {"gain": f"{colorizer.gain_:.2f}"}
    plain = {name: value for name, value in colorizer.summary_.items() if name.startswith(("n_", "explained"))}
    base = describe_choice(colorizer.summary_, shipped_name(colorizer.summary_.get("base")))
    return [digest(colorizer.trained), describe(made | plain), *([base] if base else [])]


def shipped_name(digest: object) -> str | None:
    """Name of the shipped model with this sha256."""
    from colorize.models.file import find_shipped

    shipped = find_shipped(digest)
    return None if shipped is None else shipped.name
