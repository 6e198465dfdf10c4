"""Showing doubt: colours stay or go as the confidence says, lightness never moves, the map can be read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorize.color import lab_to_rgb, rgb_to_lab, to_gray
from colorize.explanation.doubt import SOFT_EDGE, confidence_picture, only_confident
from colorize.features.superpixels import from_labels
from colorize.types import ColorField, Colorization, GrayImage, RgbImage, SolveReport


def colored(confidence, lightness=60.0, ab=(30.0, 20.0), bit_depth=8):
    confidence = np.asarray(confidence, np.float32)
    gray = GrayImage(np.full(confidence.shape, lightness, np.float32), bit_depth)
    field = np.broadcast_to(np.float32(ab), (*confidence.shape, 2)).copy()
    return gray, Colorization(
        image=RgbImage(lab_to_rgb(gray.lightness, field, bit_depth=bit_depth)),
        field=ColorField(field, confidence),
        superpixels=from_labels(np.zeros(confidence.shape, np.int32)),
        probabilities=np.ones((1, 2), np.float32) / 2,
        region_ab=np.zeros((1, 2), np.float32),
        report=SolveReport("direct", 0, 0.0, True, 0.0, 0, confidence.shape),
        timings={},
    )


def test_sure_colours_stay_and_unsure_ones_go():
    gray, result = colored([[0.0, 0.5, 0.5 + SOFT_EDGE / 2, 0.5 + SOFT_EDGE, 0.9, 1.0, 0.5 + SOFT_EDGE / 100]])
    shown = only_confident(result, gray, 0.5 + SOFT_EDGE)
    np.testing.assert_array_equal(shown.ab[0, :2], 0)
    np.testing.assert_allclose(shown.ab[0, 2], np.float32([15, 10]), atol=1e-3)  # half way, by symmetry
    np.testing.assert_array_equal(shown.ab[0, 3:6], result.ab[0, 3:6])
    np.testing.assert_array_equal(shown.rgb[0, 3:6], result.rgb[0, 3:6])
    assert np.hypot(*shown.ab[0, 6]) < 0.001 * np.hypot(*result.ab[0, 6])  # it sets in without a crease
    assert (shown.rgb[0, 0] == shown.rgb[0, 0, 0]).all()


@given(st.floats(0, 1), st.floats(0, 1))
def test_colour_never_grows_with_the_demand(low, high):
    gray, result = colored(np.linspace(0, 1, 50)[None])
    low, high = sorted((low, high))
    weak, strict = (np.hypot(*only_confident(result, gray, least).ab[0].T) for least in (low, high))
    assert (strict <= weak + 1e-4).all()
    assert (np.diff(strict) >= -1e-4).all()


def test_nothing_is_asked_for_nothing_changes():
    gray, result = colored(np.linspace(0, 1, 7)[None])
    np.testing.assert_array_equal(only_confident(result, gray, 0).rgb, result.rgb)


@pytest.mark.parametrize("bit_depth", [8, 16])
def test_lightness_is_kept(tiny_colorizer, photos, bit_depth):
    pixels = photos[0].pixels if bit_depth == 8 else photos[0].pixels.astype(np.uint16) * 257
    gray = to_gray(RgbImage(pixels))
    result = tiny_colorizer.predict(gray)
    shown = only_confident(result, gray, float(np.median(result.confidence)))
    assert shown.rgb.dtype == pixels.dtype
    moved = np.abs(rgb_to_lab(shown.rgb)[..., 0] - gray.lightness).max()
    assert moved < (0.3 if bit_depth == 8 else 0.002)  # rounding to code values
    assert 0 < np.count_nonzero(np.hypot(*shown.ab.T)) < gray.lightness.size


@pytest.mark.parametrize("least", [-0.1, 1.1, np.nan])
def test_a_limit_outside_0_to_1_is_refused(least):
    gray, result = colored([[0.5]])
    with pytest.raises(ValueError, match=r"least must be in \[0, 1\]"):
        only_confident(result, gray, least)


def test_the_map_is_orange_for_guesses_and_blue_for_certainty():
    confidence = np.repeat(np.linspace(0.3, 1, 600, dtype=np.float32)[None], 400, axis=0)
    _, result = colored(confidence)
    drawn = confidence_picture(result)
    a, b = rgb_to_lab(drawn.pixels[200:201])[0, :, 1:].T
    assert (b[:20] > 30).all()
    assert (a[:20] > 10).all()
    assert (b[-20:] < -30).all()
    assert (np.diff(b) < 0.8).all()  # one way, but for rounding to 8 bits
    assert drawn.shape[1] == 600
    legend = drawn.pixels[400:]
    assert len(legend) > 40
    assert (legend[0] == 255).all()


def test_the_map_shows_the_photograph():
    confidence = np.full((300, 500), 0.8, np.float32)
    lightness = np.tile(np.linspace(5, 95, 500, dtype=np.float32), (300, 1))
    _, result = colored(confidence)
    image = RgbImage(lab_to_rgb(lightness, np.zeros((300, 500, 2), np.float32)))
    drawn = rgb_to_lab(confidence_picture(type(result)(**(vars(result) | {"image": image}))).pixels[150:151])[0, :, 0]
    assert (np.diff(drawn[::25]) > 1).all()
    assert drawn.min() > 30  # even black leaves room for colour


def test_the_map_of_a_strip_stays_small_and_readable():
    _, result = colored(np.full((3000, 8), 0.6, np.float32))
    drawn = confidence_picture(result)
    assert drawn.shape[1] == 480
    assert 1600 < drawn.shape[0] < 1750
    is_white = (drawn.pixels[:1600] == 255).all(axis=(0, 2))
    assert is_white[:230].all()
    assert is_white[250:].all()
    assert (~is_white).sum() == 4


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "width"), [((40, 60), 480), ((3, 2000), 1600), ((2000, 3000), 1600)])
def test_the_map_has_a_size_to_look_at(shape, width):
    _, result = colored(np.full(shape, 0.8, np.float32))
    assert confidence_picture(result).shape[1] == width
