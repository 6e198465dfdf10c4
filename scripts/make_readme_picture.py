"""Draw the picture of the README: photographs from the wheels of scikit-learn and scikit-image, by the default model.

Run from the repository root: ``python scripts/make_readme_picture.py``.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import skimage.data
from sklearn.datasets import load_sample_images

from colorize import Colorizer, RgbImage, find_model, to_gray, write_photo
from colorize.color import gray_rgb

TARGET = Path(__file__).resolve().parents[1] / "docs" / "images" / "readme.jpg"
SIZE = (240, 160)  # width, height of one picture
GAP = 4


def main() -> None:
    """Write one row per photograph: gray, faithful, default, bold, true."""
    model = Colorizer.load(find_model("default"))
    china, flower = load_sample_images().images
    photos = [skimage.data.astronaut()[:341], flower, skimage.data.chelsea(), china]
    rows = []
    for pixels in photos:
        photo = RgbImage(cropped(pixels))
        gray = to_gray(photo)
        colored = [model.predict(gray, vividness=v).rgb for v in (0, 0.5, 1)]
        plain = gray_rgb(gray.lightness)
        pictures = [cv2.resize(p, SIZE, interpolation=cv2.INTER_AREA) for p in (plain, *colored, photo.pixels)]
        rows.append(np.hstack([np.pad(p, ((0, GAP), (0, GAP), (0, 0)), constant_values=255) for p in pictures]))
    write_photo(RgbImage(np.vstack(rows)[:-GAP, :-GAP].copy()), TARGET, overwrite=True)


def cropped(pixels: np.ndarray) -> np.ndarray:
    """The middle of a photograph at the sides' ratio of `SIZE`."""
    height, width = pixels.shape[:2]
    scale = min(width / SIZE[0], height / SIZE[1])
    new_width, new_height = int(SIZE[0] * scale), int(SIZE[1] * scale)
    top, left = (height - new_height) // 2, (width - new_width) // 2
    return np.ascontiguousarray(pixels[top : top + new_height, left : left + new_width])


if __name__ == "__main__":
    main()
