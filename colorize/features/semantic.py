"""Semantic family: what a region is, as far as the encoder knows it, and which colours such things have."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from colorize.features.analysis import PhotoAnalysis
from colorize.features.encoder import expected_colors
from colorize.types import Float32, Superpixels

_AB_UNIT = np.float32(20)  # so that all columns are of modest size
_LEAST = np.float32(1e-3)  # a belief below it says no more than this


def semantic(photo: PhotoAnalysis) -> tuple[Float32, tuple[str, ...]]:
    """Describe every region by the encoder's maps, averaged over it.

    Columns: the logarithm of the encoder's belief in each of its colours; the mean colour that follows, and its chroma,
    in units of 20; the last map of the decoder, which knows more of the thing than its colour.

    Returns
    -------
    values : ndarray, shape (n_superpixels, n_columns), float32
    names : tuple of str

    See Also
    --------
    colorize.features.extractor.FeatureExtractor : Joins the families.
    colorize.features.encoder.see : The maps.

    Examples
    --------
    >>> from colorize.features.superpixels import segment
    >>> lightness = np.tile(np.linspace(0, 100, 96, dtype=np.float32), (64, 1))
    >>> values, names = semantic(PhotoAnalysis(lightness, segment(lightness, n_segments=20)))
    >>> values.shape[1] == len(names), names[0], names[-1]
    (True, 'belief in colour 0', 'feature 95')
    """
    sight = photo.sight
    pool = pooling(photo.superpixels, sight.beliefs.shape[1:])
    # Means of probabilities, then their logarithm: a region of which half is grass believes in green by half. The mean
    # of logarithms would let one corner that excludes green exclude it for all.
    beliefs, features = (pool @ maps.reshape(len(maps), -1).T for maps in sight)
    expected = beliefs @ expected_colors() / _AB_UNIT
    chroma = np.hypot(expected[:, 0], expected[:, 1])
    values = np.column_stack([np.log(beliefs + _LEAST), expected, chroma, features]).astype(np.float32)
    names = tuple(f"belief in colour {i}" for i in range(beliefs.shape[1]))
    names += ("expected a", "expected b", "expected chroma")
    return values, names + tuple(f"feature {i}" for i in range(features.shape[1]))


def beliefs_in(values: Float32) -> Float32:
    """What the encoder believes of regions, out of their columns of this family: shape (n, n_colors), rows sum to 1.

    See Also
    --------
    semantic : The way there.
    colorize.features.encoder.expected_colors : What the columns stand for.

    Examples
    --------
    >>> beliefs_in(np.log(np.full((1, 171), 0.5, np.float32))).shape
    (1, 72)
    """
    beliefs = np.maximum(np.exp(values[:, : len(expected_colors())]) - _LEAST, 0)
    return beliefs / beliefs.sum(axis=1, keepdims=True)


def pooling(superpixels: Superpixels, shape: tuple[int, ...]) -> sparse.csr_array:
    """Weights that average a coarse map over regions, shape (n_superpixels, h * w); rows sum to 1.

    Every pixel asks the map at its own place, bilinearly, so a region narrower than a cell of the
    map also gets an answer of its own.
    """
    # A sparse matrix, because 168 maps are averaged alike: enlarged to the photograph first, they would take 170 MB.
    n, (height, width) = superpixels.n_superpixels, shape
    rows, columns = (_corners(large, small) for large, small in zip(superpixels.shape, shape, strict=True))
    region = superpixels.labels.astype(np.int64)
    total = sparse.csr_array((n, height * width), dtype=np.float32)
    for row, row_weight in rows:
        for column, column_weight in columns:
            place = row[:, None] * width + column
            weight = row_weight[:, None] * column_weight
            total += sparse.csr_array((weight.ravel(), (region.ravel(), place.ravel())), shape=total.shape)
    return total.multiply(1 / superpixels.areas[:, None]).tocsr()


def _corners(large: int, small: int) -> list[tuple[np.ndarray, Float32]]:
    """For every pixel along one side: the cell of the map before and after its centre, and their weights."""
    # Centres of pixels lie at k + 1/2 in both grids. Cut off at the outermost cells, whose values go on to the border.
    place = np.clip(
        (np.arange(large, dtype=np.float32) + np.float32(0.5)) * np.float32(small / large) - np.float32(0.5),
        0,
        small - 1,
    )
    before = place.astype(np.int64)
    share = place - before
    return [(before, 1 - share), (np.minimum(before + 1, small - 1), share)]
