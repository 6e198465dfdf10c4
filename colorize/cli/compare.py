"""`colorize compare`: several ways to colour the same photographs, side by side."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from colorize._support.progress import Progress
from colorize._support.tables import aligned
from colorize.cli import _measuring, _shared

if TYPE_CHECKING:
    from colorize.evaluation.run import Comparison
    from colorize.training.dataset import TrainingSet

# Enough to see and to measure colours; several methods, some of them slow, do every photograph.
MAX_SIDE = 640
# Where the truth is known the faithful setting errs least; where there is none one looks, and should see
# what `colorize photo` makes.
MEASURED, SHOWN = 0.0, 0.5
DEFAULT_METHODS = ("gray", "mean", "lookup", "default")


@click.command("compare", short_help="Show several methods side by side.")
@_shared.path_argument("inputs", nargs=-1, required=True, metavar="PHOTO...|FOLDER")
@click.option(
    "--method",
    "methods",
    multiple=True,
    metavar="gray|mean|lookup|welsh|encoder|encoder+levin|MODEL",
    shell_complete=_shared.complete_model,
    help=f"A rule, a shipped model or a model file; say it once per method. Default: {', '.join(DEFAULT_METHODS)}.",
)
@_shared.path_option(
    "--references",
    metavar="FOLDER",
    help="Colour photographs that welsh transfers from; mean and lookup then learn from them too, and not from the "
    "training photographs of a model.",
)
@_shared.share_option(
    "--vividness",
    default=None,
    help="Setting of the models: 0 is faithful, 1 is bold. Default: 0 or, if none of the photographs has colours to "
    "measure with, the 0.5 of `colorize photo`.",
)
@_shared.limit_option
@_shared.output_options
def command(
    inputs: tuple[Path, ...],
    methods: tuple[str, ...],
    references: Path | None,
    vividness: float | None,
    limit: int | None,
    outputs: _shared.Outputs,
) -> None:
    """Let several methods colour the same photographs: side by side with --html, in figures where the truth is known.

    Every photograph with colours counts once; those that are gray themselves are coloured and shown, not measured. The
    simple rules: no colour, one mean colour, the mean colour by lightness and height, and colour transfer from the
    nearest photograph (Welsh et al. 2002). Without --references mean and lookup have learnt from the photographs that
    the first model file of yours learnt from, or else the first shipped model; with several models the rows say which.
    """
    outputs.check()
    from colorize.evaluation.methods import make_methods
    from colorize.evaluation.report import comparison_report
    from colorize.evaluation.run import compare_methods
    from colorize.training.dataset import has_colors, load_folder

    specs = list(methods or DEFAULT_METHODS)
    # `make_methods` says so too, but only after all photographs have been read.
    if "welsh" in specs and references is None:
        raise click.UsageError("--method welsh transfers colours from photographs: name their folder with --references")
    with _shared.usage_errors(), _shared.progress_bars(quiet=outputs.quiet) as progress:
        photos = read_inputs(inputs, limit, progress)
        teachers = load_folder(references, progress=progress).photos if references else ()
        has_truth = [has_colors(photo) for photo in photos.photos]
        if vividness is None:
            vividness = MEASURED if any(has_truth) else SHOWN
        made = make_methods(specs, vividness=vividness, references=teachers)
        found = compare_methods(
            made,
            photos.photos,
            names=photos.names,
            has_truth=has_truth,
            left_out=_measuring.reasons(photos),
            pictures=outputs.html is not None,
            progress=progress,
        )
    source = _shared.folder_name(inputs[0]) if len(inputs) == 1 else f"{len(photos)} photographs"
    outputs.write(
        summary(found), html=lambda: comparison_report(found, source=source), csv=found.to_csv, json=found.to_json
    )


def read_inputs(inputs: tuple[Path, ...], limit: int | None, progress: Progress) -> TrainingSet:
    """The photographs of all inputs, those with colours once, with names that tell them apart."""
    from colorize.training.dataset import DatasetReport, TrainingSet, has_colors

    found = [(path, load_input(path, limit, progress)) for path in inputs]
    named = [(path, name, photo) for path, one in found for name, photo in zip(one.names, one.photos, strict=True)]
    told = Counter(name for _, one in found for name in (*one.names, *_measuring.reasons(one)))

    def known_as(path: Path, name: str) -> str:
        whole = path / name if path.is_dir() else path
        return name if told[name] == 1 else whole.as_posix()

    # A file that is named twice, or with its folder, is one photograph.
    photos = {known_as(path, name): photo for path, name, photo in named}
    left_out = tuple(
        replace(item, name=known_as(path, item.name)) for path, one in found for item in one.report.left_out
    )
    n_files = len(photos) + len(left_out)
    report = DatasetReport(n_files, n_files, len(photos), left_out)
    whole = TrainingSet(tuple(photos.values()), tuple(photos), report)
    # Those that are gray are not measured, and may be looked at beside a copy in colours.
    colored = whole.only([has_colors(photo) for photo in whole.photos])
    return _measuring.without(whole, "duplicate", colored.doubles())


def load_input(path: Path, limit: int | None, progress: Progress) -> TrainingSet:
    """One photograph, or all of a folder."""
    from colorize.training.dataset import load_folder, load_photo

    if path.is_dir():
        return load_folder(path, limit=limit, max_side=MAX_SIDE, select=False, progress=progress)
    return load_photo(path, max_side=MAX_SIDE)


def summary(found: Comparison) -> str:
    """Put the findings in text for a terminal."""
    result, lines = found.result, []
    if result.n_measured:
        lines += [result.table(), "", *differences(found)]
    else:
        lines.append("None of these photographs has known colours: nothing was measured; --html shows them.")
    if setting := found.setting():
        lines += [f"{setting} (0 is faithful, 1 is bold; `colorize photo` makes {SHOWN:g})", ""]
    # Absolute: the table above has it as a share of the true one, which gray photographs lack.
    lines.append(
        "colourfulness after Hasler and Suesstrunk (an everyday photograph has about 30), and cost per photograph"
    )
    rows, means = [["", "colourfulness", "CPU seconds", "peak MB", "stored MB"]], result.means()
    for method in found.methods:
        spent, peak = result.costs[method.name]["cpu_seconds"].mean(), found.memory[method.name] / 1e6
        row = f"{means[method.name]['colorfulness']:.1f}", f"{spent:.3f}", f"{peak:.1f}", f"{method.n_bytes / 1e6:.2f}"
        rows.append([method.name, *row])
    lines += aligned(rows)
    lines += [f"left out: {name}: {reason}" for name, reason in found.left_out.items()]
    return "\n".join(lines)


def differences(found: Comparison) -> list[str]:
    """Paired differences of CIEDE2000, each pair of methods once: that of the row minus that of the column."""
    differences = found.differences()
    names = list(differences)
    if len(names) < 2:
        return []
    rows = [["", *names[:-1]]]
    for place, first in enumerate(names[1:], start=1):
        rows.append([first, *(f"{differences[first][second]['ciede2000']:+.2f}" for second in names[:place])])
    known = ", with 95 % intervals" if differences[names[0]][names[1]]["ciede2000"].known else ""
    return [f"CIEDE2000 of the row minus that of the column, on the same photographs{known}", *aligned(rows), ""]
