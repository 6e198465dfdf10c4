"""Gabor family: energy of texture by scale and orientation."""

from __future__ import annotations

import cv2
import numpy as np

from colorize.features.analysis import PhotoAnalysis
from colorize.types import Float32

# Wavelengths of 4, 8, ... 64 pixels: from the finest that a photograph can hold to more than two regions.
N_SCALES = 5

# The filters answer at half height 20 degrees beside their own direction, so steps of 22.5 leave none between them.
N_ORIENTATIONS = 8

WAVELENGTH = 4.0  # pixels of the pyramid level: one octave below the level's Nyquist limit
ENVELOPE = 2.0  # standard deviation of the Gaussian, pixels of the level: a bandwidth of about one octave
_HALF_WIDTH = 6  # of the kernels: three standard deviations

# Pixels of the level. The magnitude at one point of a natural texture is chance; the mean over
# nearly two wavelengths is not, and they are little beside the 13 pixels that a filter sees.
_WINDOW = 7


def gabor(photo: PhotoAnalysis) -> tuple[Float32, tuple[str, ...]]:
    """Describe the texture around every region by Gabor energy, 5 scales by 8 orientations.

    A Gabor filter with a round envelope is a product of a row filter and a column filter (both complex), so each level
    of a pyramid is filtered with short separable kernels, and orientations that mirror each other share all of them.

    Returns
    -------
    values : ndarray, shape (n_superpixels, 40), float32
        Cube root of the mean magnitude near the region's centre: compressed, so that faint textures count too.
    names : tuple of str

    See Also
    --------
    colorize.features.extractor.FeatureExtractor : Joins the families.
    colorize.features.lbp.lbp : Finer texture, by order instead of size.
    colorize.features.surf.surf : How texture is laid out around the centre.

    Notes
    -----
    With a round envelope g, ``g(x) g(y) exp(i k (x cos t + y sin t))`` is a row filter times a column filter. Their
    real and imaginary parts, even (e) and odd (o), give the two parts of the response, ``e e - o o`` and ``e o + o e``,
    and those of the mirrored direction with the signs turned: four real filters for two directions, each of 13 + 13
    products a pixel where a dense complex one takes 2 * 169.

    References
    ----------
    Daugman, "Uncertainty relation for resolution in space, spatial frequency, and orientation
    optimized by two-dimensional visual cortical filters", JOSA A 2(7), 1985.
    """
    columns, names = [], []
    for scale in range(N_SCALES):
        # At the centre and not over the region: at the coarse scales one filter is larger than a region.
        energies = gabor_magnitudes(photo.pyramid[scale])
        for half in (energies[..., :4], energies[..., 4:]):
            columns.append(np.cbrt(photo.at_centroids(cv2.blur(half, (_WINDOW, _WINDOW)), scale)))
        wavelength = WAVELENGTH * 2**scale
        names += [f"{wavelength:g} px, {180 * i / N_ORIENTATIONS:g} deg" for i in range(N_ORIENTATIONS)]
    return np.concatenate(columns, axis=1).astype(np.float32), tuple(names)


def gabor_magnitudes(gray: Float32) -> Float32:
    """Magnitude of the complex Gabor responses of one level, shape (h, w, 8), float32.

    Orientation i is the direction of the wave, i * 22.5 degrees from the horizontal towards the
    bottom: 0 answers to vertical stripes, 4 to horizontal ones. A constant image gives zeros.
    """
    even, odd = _row_kernels()
    # The cosine's kernel keeps 0.7 % of plain light, and a cube root would make 0.19 of that: more than most textures.
    wave = gray - cv2.GaussianBlur(gray, (0, 0), ENVELOPE, borderType=cv2.BORDER_REFLECT_101)
    magnitudes = np.empty((*gray.shape, N_ORIENTATIONS), np.float32)
    # The column filter of an angle is the row filter of what is left to 90 degrees: sin t = cos(90
    # - t). Directions 0 and 4 are their own mirror images; what is written to them twice is the
    # same.
    for i in range(N_ORIENTATIONS // 2 + 1):
        quarter = N_ORIENTATIONS // 2 - i
        ee, oo = _filter(wave, even[i], even[quarter]), _filter(wave, odd[i], odd[quarter])
        eo, oe = _filter(wave, even[i], odd[quarter]), _filter(wave, odd[i], even[quarter])
        magnitudes[..., i] = np.hypot(ee - oo, eo + oe)
        magnitudes[..., -i % N_ORIENTATIONS] = np.hypot(ee + oo, eo - oe)
    return magnitudes


def _row_kernels() -> tuple[Float32, Float32]:
    """Even and odd part of the one-dimensional factor for the angles 0 to 90 degrees, each of shape (5, 13)."""
    x = np.arange(-_HALF_WIDTH, _HALF_WIDTH + 1)
    envelope = np.exp(-0.5 * (x / ENVELOPE) ** 2)
    envelope /= envelope.sum()
    angles = np.arange(N_ORIENTATIONS // 2 + 1) * np.pi / N_ORIENTATIONS
    phase = 2 * np.pi / WAVELENGTH * np.cos(angles)[:, None] * x
    return (envelope * np.cos(phase)).astype(np.float32), (envelope * np.sin(phase)).astype(np.float32)


def _filter(gray: Float32, along_row: Float32, along_column: Float32) -> Float32:
    return cv2.sepFilter2D(gray, cv2.CV_32F, along_row, along_column, borderType=cv2.BORDER_REFLECT_101)
