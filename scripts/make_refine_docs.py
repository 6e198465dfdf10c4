"""Make the tables, plots and the picture of ``docs/refine.md``: ``python scripts/make_refine_docs.py --work FOLDER``.

Run it after ``benchmarks/refine.py``, with the same folder of trained models. Tables go between the marks of the page.
The plots show the figures of that benchmark; the picture shows photographs that come with scikit-image and
scikit-learn, coloured by the models of one category.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
import skimage.data
from _pages import IMAGES, ROOT, put, save
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.datasets import load_sample_images

from colorize._support.statistics import Interval
from colorize.color import gray_rgb, to_gray
from colorize.evaluation import plots
from colorize.evaluation.loader import load_any_model
from colorize.io import write_photo
from colorize.types import RgbImage

RESULTS = ROOT / "benchmarks" / "results"
STYLE = {"svg.fonttype": "none", "font.size": 11.5, "figure.facecolor": "none"}
SIZE, GAP = (210, 140), 4
COLUMNS = (
    "classical", "refiner", "unet-l1", "unet-l2", "unet-l1-gan", "unet-l1-wgan-gp", "unet-classification",
    "unet-large-l1", "unet-large-l1-gan", "resnet50-l1",
)  # fmt: skip


def main() -> None:
    """Make everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("refine-benchmark"), metavar="FOLDER")
    work = parser.parse_args().work
    for what in ("bsds", "landscape"):
        file = sorted(RESULTS.glob(f"refine-{what}-*.json"))[-1]
        content = json.loads(file.read_text(encoding="utf-8"))
        put("refine.md", what, f"{figures_table(content)}\n\n{networks_table(file.with_suffix('.md'))}")
        draw_intervals(what, content["intervals"])
        draw_trade_off(what, content["means"])
    draw_learning(content["histories"])
    draw_picture(work)


def figures_table(content: dict[str, Any]) -> str:
    """Figures of all methods, and the paired differences to the classical model."""
    lines = [
        "| | CIEDE2000 | minus classical | AuC | minus classical | colourfulness |",
        "|---|---|---|---|---|---|",
    ]
    for method, row in content["intervals"].items():
        shown = [str(interval(row["ciede2000"])), str(interval(row["auc"])), str(interval(row["colorfulness_ratio"]))]
        other = content["differences"].get(method)
        minus = ["", ""] if other is None else [against(other[figure]) for figure in ("ciede2000", "auc")]
        cells = (shown[0], minus[0], shown[1], minus[1], shown[2])
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def against(difference: dict[str, float]) -> str:
    """A method minus the classical model, from the classical model minus that method."""
    numbers = (-difference["value"], -difference["high"], -difference["low"])
    value, low, high = (f"{number + 0:+.2f}".replace("-", "−") for number in numbers)
    return f"{value} ({low} to {high})"


def networks_table(file: Path) -> str:
    """How the networks were trained, as the benchmark wrote it down."""
    blocks = file.read_text(encoding="utf-8").split("\n\n")
    return next(block for block in blocks if block.startswith("| network")).strip()


def draw_intervals(what: str, intervals: dict[str, dict[str, dict[str, float]]]) -> None:
    """CIEDE2000 of every method with its interval."""
    rows = {method: [interval(row["ciede2000"])] for method, row in intervals.items()}
    figure = plots.intervals(rows, "CIEDE2000, smaller is better", strong=["classical", "classical + refiner"])
    save(f"refine-{what}-error", figure, f"Colour difference by method, {what}")


def draw_trade_off(what: str, means: dict[str, dict[str, float]]) -> None:
    """Error against colourfulness; a legend names the points, many of which lie close together."""
    points = {method: (row["ciede2000"], row["colorfulness_ratio"]) for method, row in means.items()}
    if points["classical"] == points["classical + refiner"]:
        points = {"classical" if name == "classical + refiner" else name: point for name, point in points.items()}
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(4.6)
        for index, (name, (x, y)) in enumerate(points.items()):
            color, marker = plots.SERIES[index % len(plots.SERIES)]
            filling = (color, plots.PAPER, plots.LINE)[index // len(plots.SERIES)]
            axes.plot(x, y, marker, color=color, mfc=filling, ms=8, mew=1.6, ls="none", label=name)
        axes.axhline(1, color=plots.MUTED, lw=1, dashes=(3, 2))
        axes.set_xlabel("CIEDE2000")
        axes.set_ylabel("colourfulness, share of the true one")
        figure.legend(loc="outside upper center", ncols=2, fontsize=10.5, frameon=False, handletextpad=0.1)
    save(f"refine-{what}-trade-off", figure, f"Error and colourfulness by method, {what}")


def draw_learning(histories: dict[str, list[dict[str, float]]]) -> None:
    """Error on the photographs held out, smallest so far, against the CPU-minutes of the training."""
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(4.2)
        for index, (name, history) in enumerate(histories.items()):
            minutes = [entry["seconds"] / 60 for entry in history]
            smallest = np.minimum.accumulate([entry["ciede2000"] for entry in history])
            color, _ = plots.SERIES[index % len(plots.SERIES)]
            dashes = "-" if index < len(plots.SERIES) else (0, (4, 1.5))
            axes.plot(minutes, smallest, color=color, ls=dashes, lw=1.8, label=name, drawstyle="steps-post")
        axes.set_xlabel("CPU-minutes")
        axes.set_ylabel("smallest CIEDE2000 so far, held out")
        figure.legend(loc="outside upper center", ncols=2, fontsize=10.5, frameon=False)
    save("refine-landscape-learning", figure, "Error on photographs held out while the rivals learn")


def panel(height: float) -> tuple[Figure, Any]:
    """An empty plot of so many inches."""
    figure = Figure(figsize=(plots.WIDTH, height), layout="constrained")
    axes = figure.add_subplot()
    axes.grid(True, color=plots.LINE, lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def interval(value: dict[str, float]) -> Interval:
    """An interval as the results keep it."""
    return Interval(value["value"], value["low"], value["high"])


def draw_picture(work: Path) -> None:
    """One row per photograph: gray, every model, true."""
    china, flower = load_sample_images().images
    models = [load_any_model(work / f"landscape-{name}.safetensors", device="cpu") for name in COLUMNS]
    rows = []
    for pixels in (china, flower, skimage.data.rocket(), skimage.data.chelsea()):
        photo = RgbImage(pixels)
        gray = to_gray(photo)
        plain = gray_rgb(gray.lightness)
        colored = [model.predict(gray, vividness=0.0).rgb for model in models]
        tiles = [framed(picture) for picture in (plain, *colored, photo.pixels)]
        rows.append(np.hstack(tiles))
    titles = np.hstack([title(name) for name in ("gray", *COLUMNS, "true")])
    write_photo(RgbImage(np.vstack([titles, *rows])), IMAGES / "refine-picture.jpg", overwrite=True)


def framed(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """The middle of a picture at the sides' ratio of `SIZE`, small, with a white frame."""
    height, width = picture.shape[:2]
    ratio = SIZE[0] / SIZE[1]
    rows, columns = min(height, round(width / ratio)), min(width, round(height * ratio))
    top, left = (height - rows) // 2, (width - columns) // 2
    small = cv2.resize(picture[top : top + rows, left : left + columns], SIZE, interpolation=cv2.INTER_AREA)
    return np.pad(np.asarray(small, np.uint8), ((0, GAP), (0, GAP), (0, 0)), constant_values=255)


def title(text: str) -> NDArray[np.uint8]:
    """A line of letters above a column."""
    canvas = np.full((22, SIZE[0] + GAP, 3), 255, np.uint8)
    cv2.putText(canvas, text, (2, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.48, (30, 30, 30), 1, cv2.LINE_AA)
    return canvas


if __name__ == "__main__":
    main()
