"""Intensity family: how light a region is, how that light is distributed, and how it stands in its photograph."""

from __future__ import annotations

import cv2
import numpy as np

from colorize.features.analysis import PhotoAnalysis
from colorize.types import Float32

# Triangles of 14 L*: fine enough for sky, walls and foliage to fall into different ones, coarse
# enough that grain of a few L* does not change them.
N_BINS = 8

# Pixels of a level over which the energy of a band is averaged: where an edge crosses a band it is
# high on both sides of the crossing and 0 in between.
_WINDOW = 5


def intensity(photo: PhotoAnalysis) -> tuple[Float32, tuple[str, ...]]:
    """Describe the lightness of every region at several scales.

    Columns: mean and deviation of lightness; soft histogram of `N_BINS` bins, which lets a linear or weakly non-linear
    classifier see light, middle and dark separately; rank of the region's lightness within its photograph and distance
    to the photograph's mean; mean gradient; then lightness and band energy at five coarser scales around the centre.

    Returns
    -------
    values : ndarray, shape (n_superpixels, n_columns), float32
        Lightness in units of 100 L*.
    names : tuple of str

    See Also
    --------
    colorize.features.extractor.FeatureExtractor : Joins the families.
    colorize.features.position.position : Where that light is.

    Notes
    -----
    Lightness itself is the best single hint (skies are light, foliage is dark), but exposure differs from photograph to
    photograph: hence the rank among the photograph's own pixels, which no change of exposure or contrast moves, and the
    distance to its mean. The bands are a Laplacian pyramid (Burt and Adelson 1983).

    Examples
    --------
    >>> import numpy as np
    >>> from colorize.features.superpixels import segment
    >>> lightness = np.full((48, 48), 30, np.float32)
    >>> values, names = intensity(PhotoAnalysis(lightness, segment(lightness, n_segments=9)))
    >>> names[0], round(float(values[0, 0]), 2)
    ('mean', 0.3)
    """
    gray = photo.gray
    mean = photo.means(gray)
    variance = np.maximum(photo.means(gray * gray) - mean * mean, 0)
    # Scharr's kernels answer 32 to a slope of 1 per pixel, equally in every direction.
    gradient = np.hypot(cv2.Scharr(gray, cv2.CV_32F, 1, 0), cv2.Scharr(gray, cv2.CV_32F, 0, 1)) / np.float32(32)
    columns = [mean, np.sqrt(variance), photo.means(gradient), _ranks(photo), mean - gray.mean()]
    names = ["mean", "deviation", "gradient", "rank", "contrast to photo"]
    columns += list(_soft_histogram(photo).T)
    names += [f"histogram {i}" for i in range(N_BINS)]
    for scale, (fine, coarse) in enumerate(zip(photo.pyramid, photo.pyramid[1:], strict=False), start=1):
        band = cv2.pyrUp(coarse, dstsize=fine.shape[::-1]) - fine
        columns += [
            photo.at_centroids(coarse, scale),
            np.sqrt(np.maximum(photo.at_centroids(cv2.blur(band * band, (_WINDOW, _WINDOW)), scale - 1), 0)),
        ]
        names += [f"lightness at scale {scale}", f"band energy at scale {scale}"]
    return np.stack(columns, axis=1).astype(np.float32), tuple(names)


def _ranks(photo: PhotoAnalysis) -> Float32:
    """Share of the photograph's pixels that are darker than the region's pixels, on average, 0..1."""
    # By 256 levels, as many as a photograph of 8 bits has, instead of sorting all pixels. Those of
    # one level share the middle of their ranks, so that a flat photograph ranks 1/2 everywhere.
    levels = np.minimum((photo.gray * 255).astype(np.intp), 255)
    counts = np.bincount(levels.ravel(), minlength=256)
    below = (np.cumsum(counts) - 0.5 * counts) / levels.size
    return photo.means(below[levels].astype(np.float32))


def _soft_histogram(photo: PhotoAnalysis) -> Float32:
    """Lightness histogram of every region with triangular bins, so that no pixel jumps between two of them."""
    n = photo.superpixels.n_superpixels
    position = np.clip(photo.gray.ravel() * (N_BINS - 1), 0, N_BINS - 1)
    low = np.minimum(position.astype(np.intp), N_BINS - 2)
    share = position - low
    cell = photo.flat_labels * N_BINS + low
    # Every pixel gives its two nearest bins shares that sum to 1, linear in its lightness.
    histogram = np.bincount(cell, 1 - share, minlength=n * N_BINS) + np.bincount(cell + 1, share, minlength=n * N_BINS)
    return (histogram.reshape(n, N_BINS) / photo.superpixels.areas[:, None]).astype(np.float32)
