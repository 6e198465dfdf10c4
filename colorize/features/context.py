"""Context family: what surrounds a region, ring by ring, above it and below it."""

from __future__ import annotations

import numpy as np

from colorize.features.analysis import PhotoAnalysis
from colorize.types import Float32

N_RINGS = 3


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
    near = photo.superpixels.areas * np.exp(-(((columns[None, :] - columns[:, None]) / 0.12) ** 2) - np.abs(down) / 0.5)
    above, below = near * (down < -0.02), near * (down > 0.02)
    itself = np.eye(len(rows), dtype=np.float32) * photo.superpixels.areas.mean() * 0.1
    above, below = above + itself, below + itself
    return above / above.sum(axis=1, keepdims=True), below / below.sum(axis=1, keepdims=True)
