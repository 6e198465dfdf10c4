"""Draws the pictures of the pages on hints, references and alternatives: ``python scripts/make_hints_figures.py``.

All photographs come from scikit-learn and scikit-image.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from skimage import data
from sklearn.datasets import load_sample_image

from colorize.cli.suggest import marked
from colorize.color import gray_rgb, to_gray
from colorize.colorizer import Colorizer
from colorize.guidance.hints import Hints, Mark
from colorize.guidance.session import Session
from colorize.io import write_photo
from colorize.models import find_model
from colorize.types import REACHES, RgbImage

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
PURPLE, LEAF, SUIT, HAIR, SKIN, BLUE = (
    (200, 60, 140), (60, 80, 40), (230, 90, 30), (120, 80, 50), (225, 170, 150), (50, 80, 190),
)  # fmt: skip
SUIT_PATHS = ([[260, 110], [340, 130], [480, 150]], [[290, 300], [380, 340]])  # left and right of the strap
GAP = 6


def main() -> None:
    """Draw all pictures."""
    colorizer = Colorizer.load(find_model("default"))
    flower = colorizer.open(to_gray(RgbImage(load_sample_image("flower.jpg"))))
    astronaut = colorizer.open(to_gray(RgbImage(data.astronaut())))
    strip("hints", *hints_rows(flower, astronaut))
    strip("hints-reach", reach_row(flower))
    strip("hints-thing", thing_row(astronaut), width=440)
    strip("hints-suggest", [marked(s.gray.lightness, s.suggest(5)).pixels for s in (flower, astronaut)])
    strip("references", reference_row(colorizer))
    strip("alternatives", [result.rgb for result in astronaut.alternatives(5)], width=300)


def hints_rows(flower: Session, astronaut: Session) -> list[list[np.ndarray]]:
    """What was drawn, before and after, for two photographs."""
    petals = Hints(flower.gray.shape, (Mark("stroke", [[140, 230], [224, 306], [330, 370]], PURPLE, 6, "similar"),))
    leaves = Hints(flower.gray.shape, (Mark("region", [[20, 20], [20, 120], [90, 20]], LEAF, reach="similar"),))
    person = Hints(
        astronaut.gray.shape,
        (
            *(Mark("stroke", path, SUIT, 5, "similar") for path in SUIT_PATHS),
            Mark("stroke", [[60, 190], [60, 240]], HAIR, 5),
            Mark("point", [[140, 225]], SKIN, 6),
        ),
    )
    return [
        [drawn(session, hints), session.colorize().rgb, session.with_hints(hints).rgb]
        for session, hints in ((flower, petals + leaves), (astronaut, person))
    ]


def reach_row(session: Session) -> list[np.ndarray]:
    """One hint with each reach."""
    row = []
    for reach in REACHES[2::-1]:
        mark = Mark("stroke", [[140, 230], [224, 306], [330, 370]], PURPLE, 6, reach=reach)
        row.append(session.with_hints(Hints(session.gray.shape, (mark,))).rgb)
    return row


def thing_row(session: Session) -> list[np.ndarray]:
    """Two strokes on the suit, left and right of its strap: drawn, for the thing, for the whole photograph."""
    here, photo = (
        Hints(session.gray.shape, tuple(Mark("stroke", path, BLUE, 6, reach) for path in SUIT_PATHS))
        for reach in ("here", "photo")
    )
    return [drawn(session, here), *(session.with_hints(hints).rgb for hints in (here, photo))]


def reference_row(colorizer: Colorizer) -> list[np.ndarray]:
    """The reference, then the photograph without it, with half of it and with all of it."""
    flower = load_sample_image("flower.jpg")
    left, right = (RgbImage(np.ascontiguousarray(half)) for half in (flower[:, :320], flower[:, 320:]))
    results = [colorizer.open(to_gray(right), [left], strength).colorize() for strength in (0.0, 0.5, 1.0)]
    return [left.pixels, *(result.rgb for result in results)]


def drawn(session: Session, hints: Hints) -> np.ndarray:
    """Hints over the gray photograph."""
    lightness = session.gray.lightness
    picture = gray_rgb(lightness)
    pixels = hints.rasterize(session.gray.shape)
    picture[pixels.is_known] = pixels.rgb[pixels.is_known]
    return picture


def strip(name: str, *rows: Sequence[np.ndarray], width: int = 330) -> None:
    """Write pictures side by side, those of a row of one height; further rows are as wide as the first."""
    height = round(width * 0.75)
    widest = sum(round(p.shape[1] * height / p.shape[0]) + GAP for p in rows[0])
    lines = []
    for row in rows:
        height = round((widest - GAP * len(row)) / sum(p.shape[1] / p.shape[0] for p in row))
        sizes = [(round(p.shape[1] * height / p.shape[0]), height) for p in row]
        cells = [cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p, size in zip(row, sizes, strict=True)]
        line = np.hstack([padded(cell, GAP, GAP) for cell in cells])
        lines.append(padded(line, 0, max(0, widest - line.shape[1]))[:, :widest])
    write_photo(RgbImage(np.ascontiguousarray(np.vstack(lines)[:-GAP, :-GAP])), IMAGES / f"{name}.jpg", overwrite=True)


def padded(picture: np.ndarray, below: int, right: int) -> np.ndarray:
    """A picture with white at two of its edges."""
    return np.pad(picture, ((0, below), (0, right), (0, 0)), constant_values=255)


if __name__ == "__main__":
    main()
