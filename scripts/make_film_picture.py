"""Draw the picture of the film page: frames of a clip made from photographs of scikit-learn, coloured in two ways.

Needs the extra ``video``: ``python scripts/make_film_picture.py``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from colorize import Colorizer, RgbImage, find_model, write_photo
from colorize.color import lab_to_rgb

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

from film import Clip, Shot, carried, one_by_one, shots  # noqa: E402

TARGET = ROOT / "docs" / "images" / "film.jpg"
SIZE = (285, 160)  # width, height of one picture
GAP = 4
FRAMES = (0, 12, 24, 36)


def main() -> None:
    """Write four columns: gray, frame by frame, carried, true; below, how fast colours change in both ways."""
    cv2.setNumThreads(1)
    model = Colorizer.load(find_model("default"))
    clip = Clip(shots()[:1], FRAMES[-1] + 1)
    with tempfile.TemporaryDirectory() as folder:
        clip.write(Path(folder) / "gray.mp4")
        ways = [list(make(Path(folder) / "gray.mp4", model)) for make in (one_by_one, carried)]
    gray = [np.dstack([lab[..., :1], np.zeros_like(lab[..., 1:])]) for lab in ways[0]]
    shot = clip.shots[0]
    rows = [[shown(labs[number]) for number in FRAMES] for labs in (gray, *ways)]
    rows.append([shot.colors(number) for number in FRAMES])
    rows += [[changes(shot, labs, number) for number in FRAMES[1:]] for labs in ways]
    rows[-2].insert(0, np.full_like(rows[0][0], 255))
    rows[-1].insert(0, np.full_like(rows[0][0], 255))
    lines = [np.hstack([framed(picture) for picture in row]) for row in rows]
    write_photo(RgbImage(np.ascontiguousarray(np.vstack(lines)[:-GAP, :-GAP])), TARGET, overwrite=True)


def shown(lab: np.ndarray) -> np.ndarray:
    """Lab as sRGB."""
    return np.asarray(lab_to_rgb(lab[..., 0], lab[..., 1:]), np.uint8)


def changes(shot: Shot, labs: list[np.ndarray], number: int) -> np.ndarray:
    """Change of ab since the frame before along the true motion: black 0, white 3 and more."""
    source, same = shot.motion(number)
    before = cv2.remap(np.ascontiguousarray(labs[number - 1][..., 1:]), source, None, cv2.INTER_LINEAR)
    change = np.linalg.norm(before - labs[number][..., 1:], axis=2) * same
    return np.repeat(np.clip(change * 85, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def framed(picture: np.ndarray) -> np.ndarray:
    """A picture at its size, with white to the right and below."""
    small = cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA)
    return np.pad(small, ((0, GAP), (0, GAP), (0, 0)), constant_values=255)


if __name__ == "__main__":
    main()
