"""Quality metrics: published pairs, hand-computed values, agreement with scikit-image."""

import numpy as np
import pytest

from colorize.color import lab_to_rgb, rgb_to_lab
from colorize.color.metrics import (
    MAX_PSNR,
    Truth,
    _class_weights,
    ciede2000,
    colorfulness,
    psnr_rgb,
    ssim,
)

# Two colours and their difference: Sharma, Wu, Dalal 2005, table 1.
SHARMA = np.array(
    [
        [50.0000, 2.6772, -79.7751, 50.0000, 0.0000, -82.7485, 2.0425],
        [50.0000, 3.1571, -77.2803, 50.0000, 0.0000, -82.7485, 2.8615],
        [50.0000, 2.8361, -74.0200, 50.0000, 0.0000, -82.7485, 3.4412],
        [50.0000, -1.3802, -84.2814, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, -1.1848, -84.8006, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, -0.9009, -85.5211, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, 0.0000, 0.0000, 50.0000, -1.0000, 2.0000, 2.3669],
        [50.0000, -1.0000, 2.0000, 50.0000, 0.0000, 0.0000, 2.3669],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0009, 7.1792],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0010, 7.1792],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0011, 7.2195],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0012, 7.2195],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0009, -2.4900, 4.8045],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0010, -2.4900, 4.8045],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0011, -2.4900, 4.7461],
        [50.0000, 2.5000, 0.0000, 50.0000, 0.0000, -2.5000, 4.3065],
        [50.0000, 2.5000, 0.0000, 73.0000, 25.0000, -18.0000, 27.1492],
        [50.0000, 2.5000, 0.0000, 61.0000, -5.0000, 29.0000, 22.8977],
        [50.0000, 2.5000, 0.0000, 56.0000, -27.0000, -3.0000, 31.9030],
        [50.0000, 2.5000, 0.0000, 58.0000, 24.0000, 15.0000, 19.4535],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.1736, 0.5854, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.2972, 0.0000, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 1.8634, 0.5757, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.2592, 0.3350, 1.0000],
        [60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644],
        [63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630],
        [61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731],
        [35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645],
        [22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373],
        [36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146],
        [90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441],
        [90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381],
        [6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377],
        [2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082],
    ]
)


def photo(seed: int = 0, shape: tuple[int, int] = (40, 50), dtype: str = "uint8") -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, (*shape, 3), dtype, endpoint=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ciede2000_meets_the_published_pairs_in_both_orders(dtype):
    first, second = SHARMA[:, :3].astype(dtype), SHARMA[:, 3:6].astype(dtype)
    # 1e-4: the table has four decimals
    np.testing.assert_allclose(ciede2000(first, second), SHARMA[:, 6], atol=1e-4)
    np.testing.assert_allclose(ciede2000(second, first), SHARMA[:, 6], atol=1e-4)


def test_ciede2000_agrees_with_scikit_image_on_random_colors():
    skimage_color = pytest.importorskip("skimage.color")
    first, second = rgb_to_lab(photo(1, (200, 200))), rgb_to_lab(photo(2, (200, 200)))
    first[::7, :, 1:] = 0  # gray against colour
    second[::5, :, 1:] = 0
    np.testing.assert_allclose(ciede2000(first, second), skimage_color.deltaE_ciede2000(first, second), atol=1e-4)


def test_class_weights_sum_to_one_in_every_bin():
    ab = np.random.default_rng(3).normal(0, 25, (40, 30, 2))
    weights = _class_weights(ab)
    bins, inverse = np.unique(np.floor(ab / 10).reshape(-1, 2), axis=0, return_inverse=True)
    np.testing.assert_allclose(np.bincount(inverse.ravel(), weights.ravel()), np.ones(len(bins)))


@pytest.mark.parametrize(("dtype", "step"), [("uint8", 51), ("uint16", 51 * 257)])
def test_psnr_by_hand(dtype, step):
    black = np.zeros((3, 3, 3), dtype)
    assert psnr_rgb(black, black + np.asarray(step, dtype)) == pytest.approx(-20 * np.log10(0.2))
    assert psnr_rgb(black, black) == MAX_PSNR


def test_ssim_falls_with_noise_and_needs_seven_pixels():
    clean = np.repeat(np.linspace(0, 255, 64).astype(np.uint8)[:, None], 64, axis=1)[..., None].repeat(3, axis=2)
    noisy = np.clip(clean + np.random.default_rng(0).normal(0, 20, clean.shape), 0, 255).astype(np.uint8)
    assert ssim(clean, clean) == pytest.approx(1)
    assert 0.05 < ssim(clean, noisy) < 0.6
    assert np.isnan(ssim(clean[:6], clean[:6]))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_ssim_is_that_of_scikit_image(dtype):
    from skimage.metrics import structural_similarity

    true, other = photo(dtype=dtype), photo(seed=1, dtype=dtype)
    noisy = (0.8 * true.astype(float) + 0.2 * other).astype(dtype)
    expected = structural_similarity(true, noisy, channel_axis=2, data_range=float(np.iinfo(dtype).max))
    assert ssim(true, noisy) == pytest.approx(expected, abs=1e-12)


def test_colorfulness_by_hand():
    # half red, half green: rg = +-255 (std 255, mean 0), yb = 127.5 everywhere (std 0)
    pixels = np.zeros((2, 4, 3), np.uint8)
    pixels[0, :, 0] = pixels[1, :, 1] = 255
    assert colorfulness(pixels) == pytest.approx(255 + 0.3 * 127.5, rel=1e-6)
    assert colorfulness(pixels.astype(np.uint16) * 257) == pytest.approx(colorfulness(pixels), rel=1e-6)


def figures_of_field(true, ab):
    """Figures of a field of ab beside the true lightness."""
    pixels = lab_to_rgb(rgb_to_lab(true)[..., 0], ab, bit_depth=8 * true.dtype.itemsize)
    return Truth(true).figures(pixels, ab)


def test_a_perfect_prediction_is_perfect_in_every_figure():
    figures = Truth(photo()).figures(photo())
    assert figures["ciede2000"] == figures["ab_l2"] == 0
    assert figures["auc"] == figures["auc_rebalanced"] == 100
    assert figures["psnr_rgb"] == figures["psnr_ab"] == MAX_PSNR
    assert figures["ssim"] == pytest.approx(1)
    assert figures["colorfulness"] == figures["true_colorfulness"] > 0


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_gray_prediction_keeps_lightness_and_loses_all_color(dtype):
    true = photo(dtype=dtype)
    figures = figures_of_field(true, np.zeros((40, 50, 2)))
    chroma = np.hypot(*np.moveaxis(rgb_to_lab(true)[..., 1:], -1, 0))
    assert figures["colorfulness"] == 0
    assert figures["ab_l2"] == pytest.approx(chroma.mean(), rel=1e-5)
    assert figures["auc"] == pytest.approx(100 - 100 * chroma.mean() / 150, rel=1e-5)  # no chroma above 150 in sRGB
    assert 0 < figures["ssim"] < 1


def test_photographs_may_be_locked_against_writing():
    true, other = photo(), photo(1)
    expected = Truth(true).figures(other)
    true.flags.writeable = other.flags.writeable = False
    assert Truth(true).figures(other) == expected


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_the_figures_are_those_of_the_single_functions(dtype):
    true, ab = photo(shape=(90, 110), dtype=dtype), np.random.default_rng(1).normal(0, 30, (90, 110, 2))  # two blocks
    lab = rgb_to_lab(true)
    pixels = lab_to_rgb(lab[..., 0], ab, bit_depth=8 * true.dtype.itemsize)
    error = np.linalg.norm(lab[..., 1:] - ab, axis=-1)
    expected = {
        "ciede2000": ciede2000(lab, np.dstack([lab[..., :1], ab])).mean(dtype=float),
        "ab_l2": error.mean(),
        "auc": 100 - 100 * np.minimum(error, 150).mean() / 150,
        "auc_rebalanced": 100 - 100 * np.average(np.minimum(error, 150), weights=_class_weights(lab[..., 1:])) / 150,
        "psnr_rgb": psnr_rgb(true, pixels),
        "psnr_ab": 10 * np.log10(255**2 / np.square(lab[..., 1:] - ab).mean()),
        "ssim": ssim(true, pixels),
        "colorfulness": colorfulness(pixels),
        "true_colorfulness": colorfulness(true),
    }
    assert Truth(true).figures(pixels, ab) == pytest.approx(expected, rel=1e-5)  # float32


def test_auc_is_the_area_under_the_counted_curve():
    true, ab = photo(), np.random.default_rng(0).normal(0, 40, (40, 50, 2))
    error = np.linalg.norm(rgb_to_lab(true)[..., 1:] - ab, axis=-1)
    thresholds = np.linspace(0, 150, 3001)
    within = [(error <= threshold).mean() for threshold in thresholds]
    # 0.03 %: half a step of the thresholds
    expected = 100 * np.trapezoid(within, thresholds) / 150
    assert figures_of_field(true, ab)["auc"] == pytest.approx(expected, abs=0.03)


def test_rebalanced_auc_is_the_mean_over_the_bins():
    true = np.full((10, 10, 3), 128, np.uint8)  # gray, but for one red pixel
    true[0, 0] = 255, 0, 0
    lab = rgb_to_lab(true)
    ab = lab[..., 1:].copy()
    ab[0, 0, 0] -= 75
    figures = figures_of_field(true, ab)
    assert figures["auc"] == pytest.approx(99.5)
    assert figures["auc_rebalanced"] == pytest.approx(75.0)  # (100 + 50) / 2


def test_color_errors_of_an_ab_field_are_taken_before_gamut_mapping():
    true = np.full((8, 8, 3), 250, np.uint8)  # nearly white: next to no chroma fits
    figures = figures_of_field(true, np.full((8, 8, 2), 30.0))
    assert figures["ab_l2"] == pytest.approx(30 * np.sqrt(2), rel=1e-5)
    assert figures["psnr_rgb"] > 25


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Truth(photo()).figures(photo(dtype="uint16")), "uint16"),
        (lambda: Truth(photo()).figures(photo(shape=(40, 49))), "shape"),
        (lambda: ciede2000(np.zeros(3), np.zeros((2, 3))), "shape"),
        (lambda: psnr_rgb(np.zeros((2, 3)), np.zeros((2, 3))), "float64"),
        (lambda: colorfulness(np.zeros((3, 3, 4), np.uint8)), "shape"),
        (lambda: colorfulness(np.zeros((3, 3, 3))), "float64"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
