"""Where labels go beside the places that they name: near, and over nothing that is to be seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Box = tuple[float, float, float, float]
"""Top, left, bottom, right."""


def label_corners(
    places: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    shape: tuple[float, float],
    unit: float,
    taken: Sequence[Box] = (),
) -> list[tuple[float, float]]:
    """Find room for one label after another, each as near to its place as the rest allows.

    A square unit of something else under a label counts as much as 20 units more to its place, so that labels overlap
    only where there is no room at all. Around every place (row, col) a square of two units, the radius of its mark, is
    kept free, and so is what is `taken`. Gives (top, left) for labels of these sizes (height, width).

    Examples
    --------
    >>> label_corners([(50, 50)], [(10, 20)], (100, 100), 5)
    [(61.0, 41.0)]
    """
    reach = 2 * unit
    boxes = [*taken, *((row - reach, col - reach, row + reach, col + reach) for row, col in places)]
    corners = []
    for (row, col), (height, width) in zip(places, sizes, strict=True):
        # Two: a label higher than the picture still has one place.
        tops = np.arange(1, max(2, shape[0] - height), max(1, unit / 2), dtype=float)[:, None]
        lefts = np.arange(1, max(2, shape[1] - width), max(1, unit / 2), dtype=float)[None, :]
        cost = np.hypot(tops + height / 2 - row - 0.1, lefts + width / 2 - col) / unit  # below rather than above
        for top, left, bottom, right in boxes:
            rows = np.clip(np.minimum(tops + height, bottom) - np.maximum(tops, top), 0, None)
            cols = np.clip(np.minimum(lefts + width, right) - np.maximum(lefts, left), 0, None)
            cost += 20 * rows * cols / unit**2
        i, j = np.unravel_index(np.argmin(cost), cost.shape)
        corner = float(tops[i, 0]), float(lefts[0, j])
        boxes.append((*corner, corner[0] + height, corner[1] + width))
        corners.append(corner)
    return corners
