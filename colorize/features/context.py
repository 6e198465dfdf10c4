"""Context family: what surrounds a region, ring by ring, above it and below it."""

from __future__ import annotations

import numpy as np

from colorize.features.analysis import PhotoAnalysis
from colorize.types import Float32

# Three steps through regions of some 25 pixels reach a seventh of a photograph of 500: the thing
# that a region belongs to, seldom the next but one.
N_RINGS = 3

# In units of the photograph's shorter side. What stands above a region is what a narrow band above it holds, near or
# far: the sky above a roof, however tall the house. Near regions weigh more, by e at half the side.
_BAND = 0.12
_NEARNESS = 0.5

# Centres closer in height than this lie beside each other: which is higher is an accident of the borders.
_LEVEL = 0.02

# Weight of the region itself, in mean areas: next to nothing where something is above, everything
# at the upper edge, where a mean over nothing would be no number.
_ITSELF = 0.1


def context(photo: PhotoAnalysis, core: Float32, core_names: tuple[str, ...]) -> tuple[Float32, tuple[str, ...]]:
    """Describe the surroundings of every region by the means of other features over its neighbours.

    Parameters
    ----------
    photo : PhotoAnalysis
    core : ndarray, shape (n_superpixels, n_core), float32
        The features to average (a few telling columns of the other families).
    core_names : tuple of str

    Returns
    -------
    values : ndarray, shape (n_superpixels, 5 * n_core), float32
        Means over one, two and three steps through the region adjacency, over everything above in the same vertical
        band of the photograph, and over everything below (near regions weigh more).
    names : tuple of str

    See Also
    --------
    colorize.features.extractor.FeatureExtractor : Joins the families.
    colorize.features.scene.scene : What surrounds a region as a whole.

    Notes
    -----
    A classifier that sees regions alone cannot tell a gray wall from a gray sky; what is beside and below it can. The
    second and third ring are averages of averages, random walks of two and three steps: they fall off with the distance
    instead of ending at a border, and come back to the region itself in part.
    """
    blocks, ring = [], core
    for _ in range(N_RINGS):
        ring = photo.neighbours @ ring
        blocks.append(ring)
    blocks += [weights @ core for weights in _vertical_weights(photo)]
    places = (*(f"ring {i + 1}" for i in range(N_RINGS)), "above", "below")
    names = tuple(f"{place}, {name}" for place in places for name in core_names)
    return np.concatenate(blocks, axis=1).astype(np.float32), names


def _vertical_weights(photo: PhotoAnalysis) -> tuple[Float32, Float32]:
    """Row-normalised weights (n, n) of the regions above and below each region; its own counts a little."""
    rows, columns = photo.superpixels.centroids.T / min(photo.superpixels.shape)
    down = rows[None, :] - rows[:, None]
    aside = columns[None, :] - columns[:, None]
    near = photo.superpixels.areas * np.exp(-((aside / _BAND) ** 2) - np.abs(down) / _NEARNESS)
    above, below = near * (down < -_LEVEL), near * (down > _LEVEL)
    itself = np.eye(len(rows), dtype=np.float32) * photo.superpixels.areas.mean() * _ITSELF
    above, below = above + itself, below + itself
    return above / above.sum(axis=1, keepdims=True), below / below.sum(axis=1, keepdims=True)
