"""The simple rules: tables with known content, and one pass for all of them."""

import numpy as np
import pytest

from colorize.color import rgb_to_lab, rgb_to_lightness, to_gray
from colorize.exceptions import DatasetError
from colorize.recognition.rules import NO_COLOR, RULES, Lookup, fit_rules
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
    prediction = NO_COLOR(GrayImage(np.full((3, 4), 50, np.float32)))
    assert prediction.shape == (3, 4, 2)
    assert prediction.dtype == np.float32
    assert not prediction.any()


def test_mean_color_weighs_pixels_not_photographs():
    small, large = flat(BLUE), RgbImage(np.full((4, 12, 3), SAND, np.uint8))
    prediction = fit_rules([small, large])["mean colour"](to_gray(small))
    expected = (ab(BLUE) + 3 * ab(SAND)) / 4
    np.testing.assert_allclose(prediction, np.broadcast_to(expected, (4, 4, 2)), rtol=1e-5)


def test_lightness_lookup_gives_every_lightness_its_color():
    lookup = fit_rules([flat(BLUE), flat(SAND)])["L lookup"]
    lightness = rgb_to_lightness(np.uint8([[BLUE, SAND]]))
    np.testing.assert_allclose(lookup(GrayImage(lightness)), [[ab(BLUE), ab(SAND)]], rtol=1e-5)


def test_height_lookup_tells_above_from_below():
    tall = landscape()
    prediction = fit_rules([tall])["L + height lookup"](to_gray(tall))
    np.testing.assert_allclose(prediction[:5], np.broadcast_to(ab(BLUE), (5, 6, 2)), rtol=1e-5)
    np.testing.assert_allclose(prediction[5:], np.broadcast_to(ab(GREEN), (5, 6, 2)), rtol=1e-5)


def test_steps_of_height_are_equal():
    two = Lookup(np.array([[[1, 0], [2, 0]]], np.float32))
    prediction = two(GrayImage(np.full((40, 3), 50, np.float32)))
    assert prediction[[0, 19, 20, 39], 0, 0].tolist() == [1, 1, 2, 2]


def test_empty_bins_fall_back_to_lightness_then_to_everything():
    half = RgbImage(landscape().pixels[:5])  # blue alone, at every height
    table = fit_rules([half, flat(SAND)])["L + height lookup"].table
    blue_bin = int(rgb_to_lightness(np.uint8(BLUE)) // 5)
    np.testing.assert_allclose(table[blue_bin], [ab(BLUE)] * 10, rtol=1e-5)
    overall = (30 * ab(BLUE) + 16 * ab(SAND)) / 46
    np.testing.assert_allclose(table[0], [overall] * 10, rtol=1e-5)
    above_only = fit_rules([landscape()])["L + height lookup"].table
    np.testing.assert_allclose(above_only[blue_bin, 9], ab(BLUE), rtol=1e-5)


def test_small_tables_are_what_a_table_of_that_size_would_have_learnt(photos):
    rules = fit_rules(photos[:3])
    lab = np.concatenate([rgb_to_lab(photo.pixels).reshape(-1, 3) for photo in photos[:3]])
    np.testing.assert_allclose(rules["mean colour"].table[0, 0], lab[:, 1:].mean(axis=0, dtype=np.float64), rtol=1e-5)
    step = np.minimum(lab[:, 0] / 5, 19).astype(int)
    for level in np.unique(step):
        expected = lab[step == level, 1:].mean(axis=0, dtype=np.float64)
        np.testing.assert_allclose(rules["L lookup"].table[level, 0], expected, rtol=1e-4, atol=1e-4)
    assert {name: rule.table.shape[:2] for name, rule in rules.items()} == RULES


def test_all_rules_are_learnt_in_one_pass():
    assert set(fit_rules(photo for photo in [landscape()])) == set(RULES)  # a generator cannot be gone through twice


@pytest.mark.parametrize("lightness", [0, 100])
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (999, 1)])
def test_ends_of_the_scale_and_odd_shapes(lightness, shape):
    lookup = fit_rules([flat(BLUE)])["L + height lookup"]
    gray = GrayImage(np.full(shape, lightness, np.float32))
    np.testing.assert_allclose(lookup(gray), np.broadcast_to(ab(BLUE), (*shape, 2)), rtol=1e-5)


def test_nothing_to_learn_from_is_an_error():
    with pytest.raises(DatasetError, match="at least one"):
        fit_rules([])
