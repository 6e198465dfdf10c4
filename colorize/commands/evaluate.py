"""`colorize evaluate`: measure a model on photographs whose colours are known."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import click

from colorize.commands import _shared


@click.command("evaluate", short_help="Measure a model on a folder of colour photographs.")
@_shared.folder_argument
@_shared.model_option
@_shared.limit_option
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Write the figures to this file too."
)
@_shared.force_option
@_shared.quiet_option
def command(folder: Path, model: str, limit: int | None, json_file: Path | None, force: bool, quiet: bool) -> None:
    """Take the colours away from the photographs of FOLDER, put them back, and measure the difference.

    The model is measured at vividness 0, beside simple rules fitted on its own training photographs. Every photograph
    that can be read counts, scaled down to 640 pixels on the longer side.
    """
    if json_file is not None:
        _shared.check_target(json_file, force=force)
    from colorize.dataset import load_folder
    from colorize.evaluation.baselines import GrayBaseline
    from colorize.evaluation.compare import Method, evaluate

    colorizer = _shared.load_colorizer(model)
    methods: dict[str, Method] = {"gray": GrayBaseline(), **colorizer.baselines_}
    methods["model"] = partial(colorizer.predict, vividness=0)
    with _shared.progress_bars(quiet=quiet) as progress:
        test_set = load_folder(folder, limit=limit, select=False, progress=progress)
        result = evaluate(methods, test_set.photos, progress=progress)
    if not quiet:
        click.echo(str(test_set.report))
        click.echo(result.table())
    if json_file is not None:
        left_out = {item.name: item.detail for item in test_set.report.left_out}
        figures = json.loads(result.to_json()) | {"names": test_set.names, "left_out": left_out}
        json_file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
