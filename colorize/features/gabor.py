"""Gabor family: energy of texture by scale and orientation."""

from __future__ import annotations

import cv2
import numpy as np

from colorize.features.analysis import PhotoAnalysis
from colorize.types import Float32

N_SCALES = 5
N_ORIENTATIONS = 8
WAVELENGTH = 4.0  # pixels of the pyramid level: one octave below the level's Nyquist limit
ENVELOPE = 2.0  # standard deviation of the Gaussian, pixels of the level: a bandwidth of about one octave


def gabor(photo: PhotoAnalysis) -> tuple[Float32, tuple[str, ...]]:
    """Describe the texture around every region by Gabor energy, 5 scales by 8 orientations.

    A Gabor filter with a round envelope is a product of a row filter and a column filter (both complex), so each level
    of a pyramid is filtered with short separable kernels, and orientations that mirror each other share all of them.

    Parameters
    ----------
    photo : PhotoAnalysis

    Returns
    -------
    values : ndarray, shape (n_superpixels, 40), float32
        Cube root of the mean magnitude near the region's centre: compressed, so that faint textures count too.
    names : tuple of str

    References
    ----------
    Daugman, "Uncertainty relation for resolution in space, spatial frequency, and orientation optimized by
    two-dimensional visual cortical filters", JOSA A 2(7), 1985.
    """
    columns, names = [], []
    for scale in range(N_SCALES):
        energies = gabor_magnitudes(photo.pyramid[scale])
        columns.append(np.cbrt(photo.at_centroids(cv2.blur(energies[..., :4], (7, 7)), scale)))
        columns.append(np.cbrt(photo.at_centroids(cv2.blur(energies[..., 4:], (7, 7)), scale)))
        wavelength = WAVELENGTH * 2**scale
        names += [f"{wavelength:g} px, {180 * i / N_ORIENTATIONS:g} deg" for i in range(N_ORIENTATIONS)]
    return np.concatenate(columns, axis=1).astype(np.float32), tuple(names)


def gabor_magnitudes(gray: Float32) -> Float32:
    """Magnitude of the complex Gabor responses of one level, shape (h, w, 8), float32.

    Orientation i is the direction of the wave, i * 22.5 degrees from the horizontal towards the bottom: 0 answers to
    vertical stripes, 4 to horizontal ones. A constant image gives zeros.
    """
    even, odd = _row_kernels()
    wave = gray - cv2.GaussianBlur(
        gray, (0, 0), ENVELOPE, borderType=cv2.BORDER_REFLECT_101
    )  # no answer to plain light
    magnitudes = np.empty((*gray.shape, N_ORIENTATIONS), np.float32)
    for i in range(N_ORIENTATIONS // 2 + 1):
        quarter = N_ORIENTATIONS // 2 - i
        ee, oo = _filter(wave, even[i], even[quarter]), _filter(wave, odd[i], odd[quarter])
        eo, oe = _filter(wave, even[i], odd[quarter]), _filter(wave, odd[i], even[quarter])
        magnitudes[..., i] = np.hypot(ee - oo, eo + oe)
        magnitudes[..., -i % N_ORIENTATIONS] = np.hypot(ee + oo, eo - oe)
    return magnitudes


def _row_kernels() -> tuple[Float32, Float32]:
    """Even and odd part of the one-dimensional factor for the angles 0 to 90 degrees, each of shape (5, 13)."""
    x = np.arange(-6, 7)
    envelope = np.exp(-0.5 * (x / ENVELOPE) ** 2)
    envelope /= envelope.sum()
    angles = np.arange(N_ORIENTATIONS // 2 + 1) * np.pi / N_ORIENTATIONS
    phase = 2 * np.pi / WAVELENGTH * np.cos(angles)[:, None] * x
    return (envelope * np.cos(phase)).astype(np.float32), (envelope * np.sin(phase)).astype(np.float32)


def _filter(gray: Float32, along_row: Float32, along_column: Float32) -> Float32:
    return cv2.sepFilter2D(gray, cv2.CV_32F, along_row, along_column, borderType=cv2.BORDER_REFLECT_101)
