"""The simple rules: tables with known content."""

import numpy as np
import pytest

from colorize.color import rgb_to_lab, rgb_to_lightness, to_gray
from colorize.evaluation.baselines import GrayBaseline, LightnessHeightLookup, LightnessLookup, MeanColorBaseline
from colorize.exceptions import DatasetError
from colorize.types import GrayImage, RgbImage

BLUE, GREEN, SAND = (60, 90, 160), (30, 80, 40), (210, 190, 150)


def landscape() -> RgbImage:
    """Blue above, green below."""
    pixels = np.empty((10, 6, 3), np.uint8)
    pixels[:5], pixels[5:] = BLUE, GREEN
    return RgbImage(pixels)


def flat(color) -> RgbImage:
    return RgbImage(np.full((4, 4, 3), color, np.uint8))


def ab(color) -> np.ndarray:
    return rgb_to_lab(np.uint8(color))[1:]


def test_gray_is_gray():
    prediction = GrayBaseline().fit([]).predict_ab(GrayImage(np.full((3, 4), 50, np.float32)))
    assert prediction.shape == (3, 4, 2)
    assert prediction.dtype == np.float32
    assert not prediction.any()


def test_mean_color_weighs_pixels_not_photographs():
    small, large = flat(BLUE), RgbImage(np.full((4, 12, 3), SAND, np.uint8))
    prediction = MeanColorBaseline().fit([small, large]).predict_ab(to_gray(small))
    expected = (ab(BLUE) + 3 * ab(SAND)) / 4
    np.testing.assert_allclose(prediction, np.broadcast_to(expected, (4, 4, 2)), rtol=1e-5)


def test_lightness_lookup_gives_every_lightness_its_color():
    lookup = LightnessLookup().fit([flat(BLUE), flat(SAND)])
    lightness = rgb_to_lightness(np.uint8([[BLUE, SAND]]))
    np.testing.assert_allclose(lookup.predict_ab(GrayImage(lightness)), [[ab(BLUE), ab(SAND)]], rtol=1e-5)


def test_height_lookup_tells_above_from_below():
    tall = landscape()
    same_lightness = GrayImage(np.full((40, 3), rgb_to_lightness(np.uint8(BLUE)), np.float32))
    prediction = LightnessHeightLookup().fit([tall]).predict_ab(to_gray(tall))
    np.testing.assert_allclose(prediction[:5], np.broadcast_to(ab(BLUE), (5, 6, 2)), rtol=1e-5)
    np.testing.assert_allclose(prediction[5:], np.broadcast_to(ab(GREEN), (5, 6, 2)), rtol=1e-5)
    two = LightnessHeightLookup(1, 2).fit([tall]).predict_ab(same_lightness)
    np.testing.assert_allclose(two[[0, 19, 20, 39], 0], [ab(BLUE)] * 2 + [ab(GREEN)] * 2, rtol=1e-5)


def test_empty_bins_fall_back_to_lightness_then_to_everything():
    half = RgbImage(landscape().pixels[:5])  # blue alone, at every height
    table = LightnessHeightLookup(20, 2).fit([half, flat(SAND)]).table_
    blue_bin = int(rgb_to_lightness(np.uint8(BLUE)) // 5)
    np.testing.assert_allclose(table[blue_bin], [ab(BLUE)] * 2, rtol=1e-5)
    overall = (30 * ab(BLUE) + 16 * ab(SAND)) / 46
    np.testing.assert_allclose(table[0], [overall] * 2, rtol=1e-5)
    above_only = LightnessHeightLookup(20, 10).fit([landscape()]).table_
    np.testing.assert_allclose(above_only[blue_bin, 9], ab(BLUE), rtol=1e-5)


@pytest.mark.parametrize("lightness", [0, 100])
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (999, 1)])
def test_ends_of_the_scale_and_odd_shapes(lightness, shape):
    lookup = LightnessHeightLookup().fit([flat(BLUE)])
    gray = GrayImage(np.full(shape, lightness, np.float32))
    np.testing.assert_allclose(lookup.predict_ab(gray), np.broadcast_to(ab(BLUE), (*shape, 2)), rtol=1e-5)


@pytest.mark.parametrize("baseline", [MeanColorBaseline(), LightnessLookup(), LightnessHeightLookup()])
def test_nothing_to_learn_from_is_an_error(baseline):
    with pytest.raises(DatasetError, match="at least one"):
        baseline.fit([])
