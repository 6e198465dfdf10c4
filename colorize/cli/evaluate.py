"""`colorize evaluate`: measure a model on photographs whose colours are known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from colorize.cli import _measuring, _shared

if TYPE_CHECKING:
    from colorize.evaluation.run import Evaluation


@click.command("evaluate", short_help="Measure a model on a folder of colour photographs.")
@_shared.folder_argument
@_shared.model_option
@_shared.vividness_option
@_shared.limit_option
@_shared.output_options
def command(folder: Path, model: str, vividness: float, limit: int | None, outputs: _shared.Outputs) -> None:
    """Take the colours away from the photographs of FOLDER, put them back, and measure the difference.

    The model stands beside simple rules fitted on its own training photographs, and beside oracles that know the truth
    and show where the error comes from. Intervals are over photographs. Every photograph with colours counts once,
    scaled down to 640 pixels on the longer side; sub-folders become categories.
    """
    outputs.check()
    from colorize.evaluation.report import evaluation_report
    from colorize.evaluation.run import evaluate_model
    from colorize.models import find_model

    path, colorizer = find_model(model), _shared.load_colorizer(model)
    with _shared.progress_bars(quiet=outputs.quiet) as progress:
        test_set = _measuring.photos_with_colors(folder, limit=limit, progress=progress)
        found = evaluate_model(
            colorizer,
            test_set.photos,
            names=test_set.names,
            vividness=vividness,
            model_bytes=path.stat().st_size,
            left_out=_measuring.reasons(test_set),
            pictures=outputs.html is not None,
            progress=progress,
        )
    outputs.write(
        f"{_measuring.told(test_set)}\n{summary(found)}",
        html=lambda: evaluation_report(found, model=path.stem, source=_shared.folder_name(folder)),
        csv=found.result.to_csv,
        json=found.to_json,
    )


def summary(found: Evaluation) -> str:
    """Put the findings in text for a terminal."""
    from colorize.evaluation.confidence import PIXELS_PER_PHOTO
    from colorize.evaluation.oracles import ORACLES

    result = found.result
    own = result.intervals()["model"]["ciede2000"]
    known = " with 95 % intervals over photographs" if own.known else ""
    lines = [result.table(), "", f"CIEDE2000{known}; differences on the same photographs"]
    lines.append(f"  model                        {own}")
    for other, row in result.differences("model").items():
        if other not in ORACLES:
            lines.append(f"  model - {other:<20} {row['ciede2000']}")
    for category, part in result.categories().items():
        means = part.means()
        lines.append(
            f"  in {category:<25} {means['model']['ciede2000']:.2f} (gray {means['gray']['ciede2000']:.2f}), "
            f"{part.n_photos} photographs"
        )
    if "model" in found.verdicts:
        share = 100 * found.verdicts["model"].value
        lines.append(f"told from real photographs in {share:.0f} % of cases (50 %: cannot tell)")
    check = found.confidence
    lines.append(
        f"the quarter of the pixels that it is surest of: {check.best_quarter} (all: {check.mean.value:.2f}, "
        f"by {PIXELS_PER_PHOTO} pixels a photograph); "
        f"its confidence is {100 * check.expected_error:.0f} points off on average"
    )
    worst = result.order("model")[:3]
    lines.append(
        "worst: " + ", ".join(f"{result.names[i]} {result.figures['model']['ciede2000'][i]:.1f}" for i in worst)
    )
    spent = result.costs["model"]["cpu_seconds"].mean()
    peak = found.memory.get("whole photograph", 0) / 1e6
    lines.append(f"{spent:.2f} CPU seconds and {peak:.0f} MB of arrays per photograph")
    return "\n".join(lines)
