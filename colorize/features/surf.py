"""SURF family: speeded-up robust features at the centre of every region."""

from __future__ import annotations

import math

import numpy as np

from colorize.features.analysis import PhotoAnalysis
from colorize.types import Float32

SCALES = (2.0, 3.0, 6.0)  # below 2 the wavelets have uneven halves, and plain light leaks in


def surf(photo: PhotoAnalysis) -> tuple[Float32, tuple[str, ...]]:
    """Describe every region by SURF descriptors at its centre, at three scales, rotated to the dominant orientation.

    Returns
    -------
    values : ndarray, shape (n_superpixels, 192), float32
        64 numbers per scale, each descriptor of unit length (of zeros where the photograph is flat).
    names : tuple of str

    See Also
    --------
    colorize.features.extractor.FeatureExtractor : Joins the families.
    colorize.features.scene.scene : The words that are made of them.
    colorize.features.gabor.gabor : Texture without a layout.

    Notes
    -----
    A window of 20 scales, turned to the dominant orientation, in 4 x 4 cells of four sums each: 40, 60 and 120 pixels
    wide here, where a region is about 25. No interest points are looked for: what is described is given.

    References
    ----------
    Bay, Tuytelaars and Van Gool, "SURF: Speeded Up Robust Features", ECCV 2006.
    """
    values = np.concatenate([surf_descriptors(photo, scale) for scale in SCALES], axis=1)
    return values, tuple(f"scale {scale:g}, {i}" for scale in SCALES for i in range(64))


def surf_descriptors(photo: PhotoAnalysis, scale: float) -> Float32:
    """SURF descriptors at the region centres at one scale, shape (n_superpixels, 64)."""
    from mahotas.features import surf as mahotas_surf

    # The library leaves out points whose window meets the border: mirror the photograph, so that rows match regions.
    # 14.2 scales are half the diagonal of the window, 4 the width of the wavelets of the orientation.
    margin = math.ceil(14.2 * scale) + math.ceil(4 * scale) + 2
    integral = mahotas_surf.integral(np.pad(photo.gray.astype(np.float64), margin, mode="symmetric"))
    points = np.zeros((photo.superpixels.n_superpixels, 5))
    points[:, :2] = photo.superpixels.centroids + margin
    points[:, 2] = scale
    # The sign of the Laplacian, which a detector would have found; descriptors do not depend on it.
    points[:, 4] = 1
    found = mahotas_surf.descriptors(integral, points, is_integral=True, descriptor_only=True)
    if len(found) != len(points):
        raise ValueError(f"SURF described {len(found)} of {len(points)} regions")
    # A flat window has a descriptor of length 0, and the library divides by the length.
    return np.nan_to_num(found, copy=False).astype(np.float32)
