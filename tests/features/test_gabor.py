"""Gabor family: separable filters against dense ones, and the right column for every grating."""

import numpy as np
import pytest
from scipy import ndimage

from colorize.features.gabor import ENVELOPE, N_ORIENTATIONS, N_SCALES, WAVELENGTH, gabor, gabor_magnitudes


def dense_magnitudes(gray: np.ndarray) -> np.ndarray:
    """The same responses by one complex 13 x 13 kernel for every orientation, in float64."""
    gray = gray.astype(np.float64)
    wave = gray - ndimage.gaussian_filter(gray, ENVELOPE, mode="mirror")
    rows, columns = np.mgrid[-6:7, -6:7]
    envelope = np.exp(-(rows**2 + columns**2) / (2 * ENVELOPE**2))
    responses = []
    for angle in np.arange(N_ORIENTATIONS) * np.pi / N_ORIENTATIONS:
        phase = 2 * np.pi / WAVELENGTH * (columns * np.cos(angle) + rows * np.sin(angle))
        kernel = envelope / envelope.sum() * np.exp(1j * phase)
        parts = [ndimage.convolve(wave, part, mode="mirror") for part in (kernel.real, kernel.imag)]
        responses.append(np.hypot(*parts))
    return np.stack(responses, axis=-1)


def grating(angle: float, wavelength: float, size: int) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size]
    return 50 + 30 * np.cos(2 * np.pi / wavelength * (columns * np.cos(angle) + rows * np.sin(angle)))


@pytest.mark.parametrize("shape", [(24, 31), (7, 40)])
def test_separable_filters_give_what_dense_ones_give(shape):
    gray = np.random.default_rng(0).uniform(0, 1, shape).astype(np.float32)
    # 1e-5: float32 sums of 169 products of size 1
    np.testing.assert_allclose(gabor_magnitudes(gray), dense_magnitudes(gray), atol=1e-5)


@pytest.mark.parametrize("scale", range(N_SCALES))
@pytest.mark.parametrize("orientation", range(N_ORIENTATIONS))
def test_a_grating_answers_most_in_its_own_column(analyse, scale, orientation):
    lightness = grating(orientation * np.pi / N_ORIENTATIONS, WAVELENGTH * 2**scale, 160)
    labels = np.arange(9).reshape(3, 3).repeat(54, axis=0).repeat(54, axis=1)[:160, :160]
    values, names = gabor(analyse(lightness, labels=labels))
    middle = values[4].reshape(N_SCALES, N_ORIENTATIONS)
    assert np.unravel_index(middle.argmax(), middle.shape) == (scale, orientation)
    assert names[middle.argmax()] == f"{WAVELENGTH * 2**scale:g} px, {22.5 * orientation:g} deg"
    # other directions and the next octave answer clearly less
    others = np.delete(middle.ravel(), middle.argmax())
    assert others.max() < 0.9 * middle.max()


@pytest.mark.parametrize("level", [0, 0.37, 1])
def test_plain_light_gives_no_answer(level):
    magnitudes = gabor_magnitudes(np.full((20, 30), level, np.float32))
    # 1e-6: rounding of the local mean
    assert magnitudes.max() < 1e-6


def test_a_mirror_image_has_mirrored_orientations():
    gray = np.random.default_rng(1).uniform(0, 1, (20, 27)).astype(np.float32)
    mirrored = gabor_magnitudes(np.ascontiguousarray(gray[:, ::-1]))[:, ::-1]
    opposite = -np.arange(N_ORIENTATIONS) % N_ORIENTATIONS
    np.testing.assert_allclose(mirrored, gabor_magnitudes(gray)[..., opposite], atol=1e-5)


def test_energy_is_compressed_by_a_cube_root(analyse):
    labels = np.zeros((64, 64), int)
    faint, strong = (gabor(analyse(50 + c * (grating(0, 8, 64) - 50), labels=labels))[0] for c in (0.125, 1))
    answering = strong > 0.1
    assert answering.sum() >= 3
    np.testing.assert_allclose(faint[answering], strong[answering] / 2, rtol=1e-3)
