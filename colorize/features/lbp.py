"""LBP family: histograms of uniform local binary patterns."""

from __future__ import annotations

import cv2
import numpy as np

from colorize.features.analysis import PhotoAnalysis
from colorize.types import Float32

N_PATTERNS = 10
# Around the pixel in order, since what counts is how often bright and dark change on the way round. On the square and
# not interpolated onto the paper's circle: the diagonal neighbours would then be smoother than the others.
_RING = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))
THRESHOLD = 0.01  # one L*: in flat sky the order of neighbours is noise, not texture


def lbp(photo: PhotoAnalysis) -> tuple[Float32, tuple[str, ...]]:
    """Describe the fine texture of every region by rotation-invariant uniform local binary patterns at two scales.

    Returns
    -------
    values : ndarray, shape (n_superpixels, 20), float32
        Shares of the ten patterns (0..8 brighter neighbours in one run, and all others) among the
        region's pixels, at the working resolution and at half of it.
    names : tuple of str

    See Also
    --------
    colorize.features.extractor.FeatureExtractor : Joins the families.
    colorize.features.gabor.gabor : Coarser texture, by size and direction.

    Notes
    -----
    A pattern is uniform if bright and dark change at most twice on the way round: a spot, an end, a corner, an edge.
    Most patterns of natural textures are, and counting only how many neighbours are brighter makes them the same for
    every rotation. The order of lightnesses decides, so exposure and shading do not matter.

    References
    ----------
    Ojala, Pietikainen and Maenpaa, "Multiresolution gray-scale and rotation invariant texture
    classification with local binary patterns", TPAMI 24(7), 2002, eq. 9 (riu2).
    """
    n = photo.superpixels.n_superpixels
    histograms = []
    for level in photo.pyramid[:2]:
        patterns = uniform_patterns(level)
        if level.shape != photo.gray.shape:
            # Nearest, because patterns are names: between 2 and 8 there is no 5.
            patterns = cv2.resize(patterns, photo.gray.shape[::-1], interpolation=cv2.INTER_NEAREST)
        counts = np.bincount(photo.flat_labels * N_PATTERNS + patterns.ravel(), minlength=n * N_PATTERNS)
        histograms.append(counts.reshape(n, N_PATTERNS) / photo.superpixels.areas[:, None])
    names = tuple(f"scale {scale}, pattern {i}" for scale in (1, 2) for i in range(N_PATTERNS))
    return np.concatenate(histograms, axis=1).astype(np.float32), names


def uniform_patterns(gray: Float32) -> np.ndarray:
    """Rotation-invariant uniform pattern of every pixel from its eight neighbours, (h, w) uint8, 0..9."""
    height, width = gray.shape
    padded = cv2.copyMakeBorder(gray, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    limit = gray + np.float32(THRESHOLD)
    # Bytes of 0 and 1: sums of eight comparisons, with no branch for any pixel.
    brighter = [padded[1 + r : 1 + r + height, 1 + c : 1 + c + width] > limit for r, c in _RING]
    ones = sum(b.view(np.uint8) for b in brighter)
    changes = sum(
        (b ^ previous).view(np.uint8) for b, previous in zip(brighter, [brighter[-1], *brighter], strict=False)
    )
    return np.where(changes <= 2, ones, np.uint8(N_PATTERNS - 1))
