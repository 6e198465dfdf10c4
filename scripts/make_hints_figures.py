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
PURPLE, LEAF, SUIT, HAIR, FLAG, BLUE = (
    (200, 60, 140), (60, 80, 40), (230, 90, 30), (120, 80, 50), (150, 40, 50), (50, 80, 190),
)  # fmt: skip


def main() -> None:
    """Draw all pictures."""
    colorizer = Colorizer.load(find_model("default"))
    flower = colorizer.open(to_gray(RgbImage(load_sample_image("flower.jpg"))))
    astronaut = colorizer.open(to_gray(RgbImage(data.astronaut())))
    strip("hints", hints_row(flower, astronaut))
    strip("hints-reach", reach_row(flower))
    strip("hints-thing", thing_row(astronaut))
    strip("hints-suggest", [marked(s.gray.lightness, s.suggest(5)).pixels for s in (flower, astronaut)])
    strip("references", reference_row(colorizer))
    strip("alternatives", [result.rgb for result in astronaut.alternatives(5)], width=300)


def hints_row(flower: Session, astronaut: Session) -> list[np.ndarray]:
    """What was drawn, before and after, for two photographs."""
    petals = Hints(flower.gray.shape, (Mark("stroke", [[140, 230], [224, 306], [330, 370]], PURPLE, 6, "similar"),))
    leaves = Hints(flower.gray.shape, (Mark("region", [[20, 20], [20, 120], [90, 20]], LEAF, reach="similar"),))
    person = Hints(
        astronaut.gray.shape,
        (
            Mark("stroke", [[340, 130], [430, 150]], SUIT, 5),
            Mark("stroke", [[300, 300], [380, 340]], SUIT, 5),
            Mark("stroke", [[60, 190], [60, 240]], HAIR, 5),
            Mark("stroke", [[200, 35], [300, 30]], FLAG, 4),
            Mark("point", [[140, 225]], (225, 170, 150), 6),
        ),
    )
    row = []
    for session, hints in ((flower, petals + leaves), (astronaut, person)):
        row += [drawn(session, hints), session.colorize().rgb, session.with_hints(hints).rgb]
    return row


def reach_row(session: Session) -> list[np.ndarray]:
    """One hint with each reach."""
    row = []
    for reach in REACHES[2::-1]:
        mark = Mark("stroke", [[140, 230], [224, 306], [330, 370]], PURPLE, 6, reach=reach)
        row.append(session.with_hints(Hints(session.gray.shape, (mark,))).rgb)
    return row


def thing_row(session: Session) -> list[np.ndarray]:
    """Two strokes on the suit, left and right of its strap: drawn, for the thing, for the whole photograph."""
    paths = ([[340, 130], [430, 150]], [[300, 300], [380, 340]])
    here, photo = (
        Hints(session.gray.shape, tuple(Mark("stroke", path, BLUE, 6, reach) for path in paths))
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


def strip(name: str, pictures: Sequence[np.ndarray], *, width: int = 330) -> None:
    """Write pictures side by side, one height, at most three in a row if they are wide."""
    height = round(width * 0.75)
    cells = [
        cv2.resize(p, (round(p.shape[1] * height / p.shape[0]), height), interpolation=cv2.INTER_AREA) for p in pictures
    ]
    rows = [cells[k : k + 3] for k in range(0, len(cells), 3)] if len(cells) > 5 else [cells]
    joined = [np.hstack([np.pad(cell, ((0, 6), (0, 6), (0, 0)), constant_values=255) for cell in row]) for row in rows]
    widest = max(row.shape[1] for row in joined)
    sheet = np.vstack(
        [np.pad(row, ((0, 0), (0, widest - row.shape[1]), (0, 0)), constant_values=255) for row in joined]
    )
    write_photo(RgbImage(np.ascontiguousarray(sheet[:-6, :-6])), IMAGES / f"{name}.jpg", overwrite=True)


if __name__ == "__main__":
    main()
