"""Colour conversions: published numbers, exact grays, lightness that never moves."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorize.color import (
    gray_rgb,
    lab_to_linear_rgb,
    lab_to_rgb,
    map_to_gamut,
    rgb_to_lab,
    rgb_to_lightness,
    tint_of,
    to_gray,
)
from colorize.types import PhotoMetadata, RgbImage

# Lab (D65) of the corners of the sRGB cube, from B. Lindbloom's colour calculator, four decimals.
CORNERS = {
    (255, 0, 0): (53.2408, 80.0925, 67.2032),
    (0, 255, 0): (87.7347, -86.1827, 83.1793),
    (0, 0, 255): (32.2970, 79.1875, -107.8602),
    (255, 255, 0): (97.1393, -21.5538, 94.4780),
    (0, 255, 255): (91.1132, -48.0875, -14.1312),
    (255, 0, 255): (60.3242, 98.2343, -60.8249),
    (255, 255, 255): (100.0, 0.0, 0.0),
    (0, 0, 0): (0.0, 0.0, 0.0),
}


def grays(bit_depth: int) -> np.ndarray:
    codes = np.arange(2**bit_depth, dtype=f"uint{bit_depth}")
    return np.repeat(codes[:, None], 3, axis=1)


def random_pixels(shape: tuple[int, ...], bit_depth: int = 8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**bit_depth, (*shape, 3), f"uint{bit_depth}")


@pytest.mark.parametrize(("rgb", "lab"), CORNERS.items())
def test_published_corners(rgb, lab):
    # 0.002: the calculator rounds its matrix to seven digits
    assert rgb_to_lab(np.uint8(rgb)) == pytest.approx(lab, abs=0.002)


def test_agrees_with_scikit_image():
    skimage_color = pytest.importorskip("skimage.color")
    pixels = random_pixels((64, 64))
    # 0.02: its matrix has six digits
    np.testing.assert_allclose(rgb_to_lab(pixels), skimage_color.rgb2lab(pixels), atol=0.02)


def test_uint16_and_float_mean_the_same_colors_as_uint8():
    pixels = random_pixels((40, 30))
    lab = rgb_to_lab(pixels)
    np.testing.assert_allclose(rgb_to_lab(pixels.astype(np.uint16) * 257), lab, atol=1e-4)
    np.testing.assert_allclose(rgb_to_lab(pixels / np.float32(255)), lab, atol=1e-3)
    np.testing.assert_allclose(rgb_to_lab(pixels / 255), lab, atol=1e-4)


@pytest.mark.parametrize("bit_depth", [8, 16])
def test_every_gray_is_neutral_and_comes_back_as_its_own_code(bit_depth):
    pixels = grays(bit_depth)
    lab = rgb_to_lab(pixels)
    assert not lab[:, 1:].any()
    assert (np.diff(lab[:, 0]) > 0).all()
    np.testing.assert_array_equal(lab_to_rgb(lab[:, 0], lab[:, 1:], bit_depth=bit_depth), pixels)


def test_the_lightness_of_a_gray_alone_gives_its_code_too():
    np.testing.assert_array_equal(gray_rgb(rgb_to_lightness(grays(8))), grays(8))


@pytest.mark.parametrize("bit_depth", [8, 16])
def test_lightness_is_the_first_channel_of_lab_whatever_surrounds_the_pixel(bit_depth):
    gray, mixed = grays(8).astype(f"uint{bit_depth}"), random_pixels((256,), bit_depth)
    np.testing.assert_array_equal(rgb_to_lightness(gray), rgb_to_lab(gray)[:, 0])
    both = np.stack([gray, mixed])  # one coloured pixel takes the block off the gray fast path
    np.testing.assert_array_equal(rgb_to_lightness(both)[0], rgb_to_lightness(gray))
    np.testing.assert_array_equal(rgb_to_lightness(both), rgb_to_lab(both)[..., 0])


@pytest.mark.parametrize("bit_depth", [8, 16])
def test_round_trip_of_random_colors(bit_depth):
    pixels = random_pixels((100_000,), bit_depth)
    pixels[::3, 0], pixels[1::5, 2] = 0, 2**bit_depth - 1  # the faces of the cube, where the gamut test is tight
    lab = rgb_to_lab(pixels)
    back = lab_to_rgb(lab[:, 0], lab[:, 1:], bit_depth=bit_depth)
    # 16 bit: float32 leaves one code value of doubt
    assert np.abs(back.astype(int) - pixels).max() <= (0 if bit_depth == 8 else 1)


@settings(max_examples=150, deadline=None)
@given(
    lightness=hnp.arrays(np.float32, 64, elements=st.floats(0, 100, width=32)),
    ab=hnp.arrays(np.float32, (64, 2), elements=st.floats(-300, 300, width=32)),
    depth_and_limit=st.sampled_from([(8, 0.3), (16, 0.01)]),
)
def test_lightness_never_moves(lightness, ab, depth_and_limit):
    bit_depth, limit = depth_and_limit
    pixels = lab_to_rgb(lightness, ab, bit_depth=bit_depth)
    assert np.abs(rgb_to_lightness(pixels) - lightness).max() <= limit


def test_lightness_never_moves_in_dark_saturated_colors():
    rng = np.random.default_rng(5)
    lightness = (15 * rng.random(200_000)).astype(np.float32)
    ab = rng.normal(0, 60, (200_000, 2)).astype(np.float32)
    # 0.26: half a code value of gray where L* is steepest per code value, around L* = 9
    assert np.abs(rgb_to_lightness(lab_to_rgb(lightness, ab)) - lightness).max() <= 0.26


@settings(max_examples=100, deadline=None)
@given(
    lightness=hnp.arrays(np.float32, 32, elements=st.floats(1, 99, width=32)),
    ab=hnp.arrays(np.float32, (32, 2), elements=st.floats(-200, 200, width=32)),
)
def test_gamut_mapping_keeps_hue_and_takes_no_more_chroma_than_needed(lightness, ab):
    mapped = map_to_gamut(lightness, ab)
    linear = lab_to_linear_rgb(lightness, mapped)
    assert linear.min() >= -1e-5
    assert linear.max() <= 1 + 1e-5
    cross = mapped[:, 0] * ab[:, 1] - mapped[:, 1] * ab[:, 0]
    chroma, before = np.hypot(*mapped.T), np.hypot(*ab.T)
    assert np.abs(cross).max() <= 1e-4 * max(1.0, float((chroma * before).max()))
    assert (chroma <= before * (1 + 1e-6)).all()
    gave_way = chroma < before * (1 - 1e-6)
    pushed = mapped * (1 + 0.05 / np.maximum(chroma, 1e-6))[:, None]  # 0.05 more chroma must leave the gamut
    outside = (lab_to_linear_rgb(lightness, pushed).min(axis=1) < 0) | (
        lab_to_linear_rgb(lightness, pushed).max(axis=1) > 1
    )
    assert outside[gave_way].all()


def test_gamut_mapping_leaves_colors_of_srgb_alone():
    lab = rgb_to_lab(random_pixels((50_000,)))
    np.testing.assert_array_equal(map_to_gamut(lab[:, 0], lab[:, 1:]), lab[:, 1:])


def test_black_and_white_have_no_color_whatever_is_asked():
    pixels = lab_to_rgb([0, 100], [[80, -90], [80, -90]])
    np.testing.assert_array_equal(pixels, [[0, 0, 0], [255, 255, 255]])


def test_blocks_do_not_show():
    pixels = random_pixels((210, 323))  # more than two blocks
    lab = rgb_to_lab(pixels)
    np.testing.assert_array_equal(rgb_to_lab(pixels[::-1])[::-1], lab)
    strong = 3 * lab[..., 1:]
    whole = lab_to_rgb(lab[..., 0], strong)
    np.testing.assert_array_equal(lab_to_rgb(lab[100:, 50:, 0], strong[100:, 50:]), whole[100:, 50:])


@pytest.mark.parametrize("shape", [(), (5,), (0,), (2, 3), (2, 1, 4)])
def test_any_leading_shape(shape):
    pixels = random_pixels(shape)
    lab = rgb_to_lab(pixels)
    assert lab.shape == (*shape, 3)
    assert lab.dtype == rgb_to_lightness(pixels).dtype == np.float32
    assert rgb_to_lightness(pixels).shape == shape
    np.testing.assert_array_equal(lab_to_rgb(lab[..., 0], lab[..., 1:]), pixels)


def test_inputs_are_not_changed():
    lightness, ab = np.full((4, 4), 50, np.float32), np.full((4, 4, 2), 120, np.float32)
    map_to_gamut(lightness, ab)
    lab_to_rgb(lightness, ab)
    assert (lightness == 50).all()
    assert (ab == 120).all()


def test_to_gray_keeps_what_is_not_color():
    metadata = PhotoMetadata(dpi=(300.0, 300.0), notes=("second page ignored",))
    alpha = np.arange(6, dtype=np.uint16).reshape(2, 3)
    gray = to_gray(RgbImage(random_pixels((2, 3), 16), alpha, metadata))
    assert gray.bit_depth == 16
    np.testing.assert_array_equal(gray.alpha, alpha)
    assert gray.metadata is metadata


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rgb_to_lab(np.zeros((4, 4), np.uint8)), "shape"),
        (lambda: rgb_to_lab(np.zeros((4, 3), np.int32)), "int32"),
        (lambda: rgb_to_lab(np.full((4, 3), 255.0)), "255"),
        (lambda: rgb_to_lab(np.full((4, 3), np.nan)), "nan"),
        (lambda: rgb_to_lab(np.ma.masked_less(np.zeros((4, 3)), 1)), "^pixels has masked places"),
        (lambda: lab_to_rgb(np.ma.masked_less(np.zeros(4), 1), np.zeros((4, 2))), "^lightness has masked places"),
        (lambda: map_to_gamut(np.zeros(4), np.ma.masked_less(np.zeros((4, 2)), 1)), "^ab has masked places"),
        (lambda: lab_to_rgb(np.zeros(3), np.zeros((4, 2))), "ab must have shape"),
        (lambda: lab_to_rgb(50, [0, 0], bit_depth=12), "bit_depth"),
        (lambda: lab_to_rgb(50, [np.inf, 0]), "finite"),
        (lambda: lab_to_rgb("old.jpg", [0, 0]), "^lightness must be an array of numbers, got str"),
        (lambda: lab_to_rgb(np.nan, [0, 0]), "finite"),
        (lambda: map_to_gamut(50, [np.nan, 0]), "finite"),
        (lambda: to_gray("old.jpg"), r"image must be an RgbImage, got str \(colorize.read_photo reads a file\)"),
        (lambda: to_gray(np.zeros((2, 2, 3), np.uint8)), r"an RgbImage, got ndarray \(RgbImage\(array\) makes one\)"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_tint_is_the_mean_colour_of_equally_light_pixels():
    levels = np.linspace(20, 230, 64)[:, None] * np.ones((1, 8))
    toned = RgbImage(np.uint8(levels[..., None] * np.array([1.0, 0.85, 0.65])))
    # neighbouring levels of a smooth toning differ by 5 L*, over which ab moves by 1.5 at most
    np.testing.assert_allclose(tint_of(toned), rgb_to_lab(toned.pixels)[..., 1:], atol=1.5)
    assert not tint_of(RgbImage(np.uint8(np.repeat(levels[..., None], 3, axis=2)))).any()
