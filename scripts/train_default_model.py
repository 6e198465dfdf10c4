"""Train the models that ship with the package, `default` and `classic`, and write whom their photographs are owed to.

Run from the repository root: ``python scripts/train_default_model.py ../shared/data/cc0 ../shared/data/ship``. The
photographs are not part of the project; equal photographs give equal files, byte for byte. Photographs under licences
that must be shared alike are left out. Both models learn from the same regions: `classic` without what the encoder says
of them. ``benchmarks/ordinary.py`` measures what came out.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click
from encoder.photographs import is_share_alike, licences
from rich.console import Console
from rich.progress import Progress

from colorize.colorizer import Colorizer
from colorize.features import CLASSICAL
from colorize.recognition.decision import GAIN
from colorize.training.dataset import load_folder
from colorize.training.rows import TrainingRows
from colorize.types import RgbImage

ENCODER_SHARE = 1 / 3
MODELS = Path(__file__).resolve().parents[1] / "colorize" / "models"


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), default=MODELS, show_default=True)
def main(folders: Sequence[Path], output: Path) -> None:
    """Train on the photographs of FOLDERS and write default.safetensors, classic.safetensors and CREDITS.md."""
    console = Console()
    photos: list[RgbImage] = []
    owed: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for folder in folders:
        found = load_folder(folder)
        kept = found.only([not is_share_alike(licence) for licence in licences(folder, found)])
        console.print(f"{folder.name}: {len(kept)} photographs; left out: {found.report.counts}, share-alike licences")
        photos += kept.photos
        for source, credit in credits_of(folder, kept.names):
            owed[source][credit] += 1
    described: dict[int, TrainingRows] = {}
    with Progress(console=console) as bar:
        task = bar.add_task("default")

        def show(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total)

        default = Colorizer(random_state=0).fit(photos, described=described, progress=show)
        # Held-out photographs of these collections say 0, because the encoder's beliefs are of them; on photographs of
        # others the mean errs less (docs/colors.md).
        default.encoder_share_ = ENCODER_SHARE
        classic = Colorizer(families=CLASSICAL, random_state=0).fit(
            photos, described={i: without_encoder(rows) for i, rows in described.items()}, progress=show
        )
    for name, model in {"default": default, "classic": classic}.items():
        # Set on photographs of others, too, and one for both: side by side they differ in what they know.
        model.gain_ = GAIN
        path = output / f"{name}.safetensors"
        model.save(path, overwrite=True)
        console.print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, {model.summary_}")
    (output / "CREDITS.md").write_text(credits_page(owed), encoding="utf-8")


def without_encoder(rows: TrainingRows) -> TrainingRows:
    """Described regions as a model without the encoder would have described them: its family comes last."""
    columns = rows.families["semantic"]
    families = {name: part for name, part in rows.families.items() if name != "semantic"}
    return replace(rows, features=rows.features[:, : columns.start], families=families)


def credits_of(folder: Path, names: Sequence[str]) -> list[tuple[str, str]]:
    """Source with its licence, and credit, of every photograph that was used."""
    with (folder / "SOURCES.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    used = [rows[name] for name in names]
    return [
        (
            f"{row['repo']} ({row.get('licence') or row.get('licence_as_stated')})",
            row["credit"].strip() or "no name stated",
        )
        for row in used
    ]


def credits_page(owed: Mapping[str, Mapping[str, int]]) -> str:
    """Everybody whose photographs the encoder and the models learnt from, by source and licence."""
    lines = [
        "# Credits",
        "",
        "The encoder, `default` and `classic` learnt from the photographs below. None of them is part of the package.",
        "Source (a repository) with the licence that it states, then the names it gives, with the number of pictures.",
        "",
    ]
    for source in sorted(owed, key=str.lower):
        names = ", ".join(f"{name} ({n})" for name, n in sorted(owed[source].items(), key=lambda item: item[0].lower()))
        lines.append(f"- **{source}**: {names}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
