"""Position family: where in the photograph a region lies."""

from __future__ import annotations

import numpy as np

from colorize.features.analysis import PhotoAnalysis
from colorize.types import Float32


def position(photo: PhotoAnalysis) -> tuple[Float32, tuple[str, ...]]:
    """Describe where every region lies, alike for a photograph and its mirror image.

    Columns: relative row and its square (0 top, 1 bottom), distance from the vertical middle line,
    distance to the nearest border, and five soft bands of height.

    Returns
    -------
    values : ndarray, shape (n_superpixels, 9), float32
        All between 0 and 1.
    names : tuple of str

    See Also
    --------
    colorize.features.extractor.FeatureExtractor : Joins the families.
    colorize.features.context.context : What is around, above and below.
    """
    row, column = photo.relative_centroids.T
    # Nothing tells left from right: a photograph is as likely as its mirror image, and a model that
    # could learn a side would need twice the photographs to learn that there is none.
    aside = np.abs(2 * column - 1)
    border = 2 * np.minimum(np.minimum(row, 1 - row), np.minimum(column, 1 - column))
    # Triangles that overlap by half: a classifier that is nearly linear can then like the middle and neither end.
    centers = np.linspace(0, 1, 5, dtype=np.float32)
    bands = np.maximum(0, 1 - np.abs(row[:, None] - centers) * 4)
    values = np.column_stack([row, row * row, aside, border, bands]).astype(np.float32)
    return values, ("row", "row squared", "off centre", "from border", *(f"band {i}" for i in range(5)))
