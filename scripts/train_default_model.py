"""Train the model that ships with the package, and print the figures for its card.

Run from the repository root: ``python scripts/train_default_model.py ../shared/data/cc0``. The photographs are not part
of the project; equal photographs give an equal file, byte for byte.
"""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from colorize.colorizer import Colorizer
from colorize.dataset import load_folder
from colorize.evaluation.compare import evaluate

MODEL = Path(__file__).resolve().parents[1] / "colorize" / "models" / "default.safetensors"


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), default=MODEL, show_default=True)
def main(folder: Path, output: Path) -> None:
    """Hold out a fifth of FOLDER to measure, then train on all of it and write the model."""
    console = Console()
    training_set = load_folder(folder)
    console.print(str(training_set.report))
    learnt, held_out = training_set.split(0.2, random_state=0)
    trial = Colorizer(random_state=0).fit(learnt.photos)
    result = evaluate(methods_of(trial), held_out.photos)
    console.print(result.table())
    final = Colorizer(random_state=0).fit(training_set.photos)
    final.save(output, overwrite=True)
    console.print(f"{output.name}: {output.stat().st_size / 1e6:.2f} MB, {final.summary_}")


def methods_of(colorizer: Colorizer) -> dict:
    """The model at three settings, beside the rules that it has to beat."""
    dials = {"faithful": 0.0, "default": 0.5, "bold": 1.0}
    models = {name: lambda gray, v=v: colorizer.predict(gray, vividness=v) for name, v in dials.items()}
    return {**colorizer.baselines_, **models}


if __name__ == "__main__":
    main()
