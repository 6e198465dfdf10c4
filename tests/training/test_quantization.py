"""The palette: neutral first, nearest colours, decoding between expectation and the most probable colour."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from colorize.recognition.palette import anneal, compress, expand, mean_color
from colorize.training.quantization import ColorPalette

TWO_COLUMNS = "the check brings more or fewer than the two columns of an ab colour"
INAPPLICABLE = dict.fromkeys(
    [
        "check_all_zero_sample_weights_error",
        "check_dict_unchanged",
        "check_dont_overwrite_parameters",
        "check_dtype_object",
        "check_estimators_dtypes",
        "check_estimators_nan_inf",
        "check_estimators_pickle",
        "check_f_contiguous_array_estimator",
        "check_fit2d_1feature",
        "check_fit2d_1sample",
        "check_fit2d_predict1d",
        "check_fit_score_takes_y",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
        "check_n_features_in_after_fitting",
        "check_pipeline_consistency",
        "check_positive_only_tag_during_fit",
        "check_sample_weight_equivalence_on_dense_data",
        "check_sample_weights_list",
    ],
    TWO_COLUMNS,
)
N_COLORS = 6
ROWS = hnp.arrays(np.float32, st.tuples(st.integers(1, 5), st.just(N_COLORS)), elements=st.floats(0, 1, width=32))


def test_scikit_learn_manners():
    check_estimator(ColorPalette(n_colors=3), expected_failed_checks=INAPPLICABLE, on_skip=None)


@pytest.fixture(scope="module")
def ab():
    """Mostly grayish, with a few strong colours, as photographs are."""
    rng = np.random.default_rng(0)
    strong = [rng.normal(mean, 4, (40, 2)) for mean in ((60, 40), (-40, 40), (10, -60), (-30, -10))]
    return np.concatenate([rng.normal(3, 5, (400, 2)), *strong])


@pytest.fixture(scope="module")
def palette(ab):
    return ColorPalette(n_colors=N_COLORS).fit(ab)


def normalised(rows: np.ndarray) -> np.ndarray:
    rows = rows + np.float32(1e-3)
    return rows / rows.sum(axis=1, keepdims=True)


def test_neutral_gray_is_the_first_color_exactly(palette):
    assert palette.colors_[0].tolist() == [0, 0]
    assert palette.colors_.dtype == np.float32
    assert palette.colors_.shape == (N_COLORS, 2)


def test_neutral_gray_is_there_even_if_no_photograph_is_gray():
    rng = np.random.default_rng(0)
    colors = ColorPalette(n_colors=3).fit(rng.normal(50, 5, (100, 2))).colors_
    assert colors[0].tolist() == [0, 0]
    assert (colors[1:] > 30).all()


def test_the_others_are_sorted_by_hue(palette):
    hues = np.arctan2(palette.colors_[1:, 1], palette.colors_[1:, 0]) % (2 * np.pi)
    assert (np.diff(hues) > 0).all()


def test_clusters_far_apart_are_found_at_their_means(ab, palette):
    for start in range(400, len(ab), 40):
        mean = ab[start : start + 40].mean(axis=0)
        # 3 units: some of the grayish samples may belong to it too
        assert np.linalg.norm(palette.colors_ - mean, axis=1).min() < 3


def test_without_rarity_it_is_plain_k_means_where_differences_look_equal(ab):
    plain = expand(KMeans(N_COLORS, n_init=10, random_state=0).fit(compress(ab)).cluster_centers_)
    colors = ColorPalette(n_colors=N_COLORS, rarity=0).fit(ab).colors_
    distances = np.linalg.norm(colors[1:, None] - plain, axis=2).min(axis=1)
    # 1e-4: colours are float32
    assert distances.max() < 1e-4


def test_skin_gets_more_colors_than_a_strong_red_of_the_same_spread_in_ab():
    rng = np.random.default_rng(0)
    skin, red = rng.normal((12, 16), 8, (500, 2)), rng.normal((60, 50), 8, (500, 2))
    colors = ColorPalette(n_colors=13, rarity=0).fit(np.concatenate([skin, red])).colors_[1:]
    # 8 and 4; in ab, where both are as large, it was 5 and 7
    assert (np.hypot(*(colors - (12, 16)).T) < 35).sum() > 6


def test_rarity_moves_colors_out_to_the_rarer_places(ab):
    chroma = [np.hypot(*ColorPalette(n_colors=8, rarity=rarity).fit(ab).colors_.T).mean() for rarity in (0, 0.5, 1)]
    assert chroma[0] < chroma[1] < chroma[2]


def test_frequencies_are_the_shares_of_the_weight(ab, palette):
    weight = np.where(np.arange(len(ab)) < 400, 1.0, 3.0)
    weighted = ColorPalette(n_colors=N_COLORS).fit(ab, sample_weight=weight)
    for fitted, w in ((palette, np.ones(len(ab))), (weighted, weight)):
        index = fitted.encode(ab)
        expected = [w[index == k].sum() / w.sum() for k in range(N_COLORS)]
        np.testing.assert_allclose(fitted.frequencies_, expected, atol=1e-6)


def test_a_sample_without_weight_counts_as_absent(ab, palette):
    weight = np.append(np.ones(len(ab)), [0, 0])
    with_extras = ColorPalette(n_colors=N_COLORS).fit(np.append(ab, [[90, -90], [0, 0]], axis=0), sample_weight=weight)
    np.testing.assert_array_equal(with_extras.colors_, palette.colors_)


def test_the_same_seed_gives_the_same_palette(ab, palette):
    np.testing.assert_array_equal(clone(palette).fit(ab).colors_, palette.colors_)


def test_every_color_is_its_own_nearest(palette):
    assert palette.encode(palette.colors_).tolist() == list(range(N_COLORS))


def test_encoding_finds_the_nearest_color(ab, palette):
    distances = np.linalg.norm(ab[:, None, :] - palette.colors_, axis=2)
    np.testing.assert_array_equal(palette.encode(ab), distances.argmin(axis=1))


@pytest.mark.parametrize("n_nearest", [1, 3, 99])
def test_soft_encoding_shares_the_weight_among_the_nearest(ab, palette, n_nearest, monkeypatch):
    monkeypatch.setattr("colorize.recognition.palette.N_NEAREST", n_nearest)
    monkeypatch.setattr("colorize.recognition.palette.WIDTH", 30)
    weights = palette.encode_soft(ab)
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(weights.argmax(axis=1), palette.encode(ab))
    assert (np.count_nonzero(weights, axis=1) == min(n_nearest, N_COLORS)).all()


def test_soft_weights_fall_like_a_gaussian(palette, monkeypatch):
    monkeypatch.setattr("colorize.recognition.palette.N_NEAREST", N_COLORS)
    monkeypatch.setattr("colorize.recognition.palette.WIDTH", 20)
    point = palette.colors_[1:3].mean(axis=0, keepdims=True) + 1
    squared = ((palette.colors_ - point) ** 2).sum(axis=1)
    expected = np.exp(-squared / (2 * 20**2))
    weights = palette.encode_soft(point)[0]
    np.testing.assert_allclose(weights, expected / expected.sum(), atol=1e-6)


@given(ROWS)
def test_temperature_0_is_the_most_probable_color_and_1_the_mean_of_all(palette, rows):
    probabilities = normalised(rows)
    best = palette.colors_[probabilities.argmax(axis=1)]
    # 1e-3 of colours up to 70: float32 logarithms and exponentials
    np.testing.assert_allclose(palette.decode(probabilities, temperature=0), best, atol=1e-3)
    mean = mean_color(probabilities, palette.colors_)
    np.testing.assert_allclose(palette.decode(probabilities, temperature=1), mean, atol=1e-3)


@given(st.floats(0, 1), st.floats(0, 90), st.floats(0, 2 * np.pi))
def test_the_mean_of_gray_and_a_color_lies_where_ciede2000_puts_it(share, chroma, angle):
    color = np.float32([chroma * np.cos(angle), chroma * np.sin(angle)])
    mean = mean_color(np.float32([[1 - share, share]]), np.stack([np.zeros(2, np.float32), color]))[0]
    # 1 + 0.045 C is the divisor of CIEDE2000, and the integral of its inverse this logarithm
    scale = np.log1p(0.045 * np.array([np.hypot(*mean), np.hypot(*color)]))
    np.testing.assert_allclose(scale[0], share * scale[1], atol=1e-4)
    np.testing.assert_allclose(mean[0] * color[1], mean[1] * color[0], atol=1e-2)  # the hue stays


@given(ROWS, st.floats(0, 1), st.floats(0, 2 * np.pi))
def test_decoded_colors_stay_within_the_palette(palette, rows, temperature, angle):
    direction = np.array([np.cos(angle), np.sin(angle)])
    decoded = palette.decode(normalised(rows), temperature=temperature) @ direction
    # in no direction does a point of the hull lie beyond its farthest corner; 1e-3: float32
    assert decoded.max() <= (palette.colors_ @ direction).max() + 1e-3


@given(ROWS, st.floats(0.05, 1), st.floats(0.05, 1))
def test_a_lower_temperature_gives_more_to_the_most_probable(rows, one, other):
    probabilities = normalised(rows)
    best = probabilities.argmax(axis=1)[:, None]
    cold, warm = (anneal(probabilities, temperature) for temperature in sorted((one, other)))
    # 1e-5: float32
    assert (np.take_along_axis(cold, best, 1) >= np.take_along_axis(warm, best, 1) - 1e-5).all()
    np.testing.assert_allclose(cold.sum(axis=1), 1, atol=1e-5)


@given(ROWS, st.floats(0.05, 1))
def test_annealing_raises_to_a_power_and_keeps_the_order(rows, temperature):
    probabilities = normalised(rows)
    expected = probabilities.astype(np.float64) ** (1 / temperature)
    annealed = anneal(probabilities, temperature)
    # 1e-4: float32 logarithms, times 20 at the lowest temperature
    np.testing.assert_allclose(annealed, expected / expected.sum(axis=1, keepdims=True), atol=1e-4)
    order = np.argsort(probabilities, axis=1)
    assert (np.diff(np.take_along_axis(annealed, order, 1), axis=1) >= -1e-6).all()


def test_annealing_bears_probabilities_of_zero():
    np.testing.assert_allclose(anneal(np.array([[0, 1, 0]], np.float32), 0.1), [[0, 1, 0]], atol=1e-6)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_colors": 1}, r"n_colors must be an integer in 2\.\.256, got 1"),
        ({"n_colors": 257}, r"n_colors must be an integer in 2\.\.256, got 257"),
        ({"n_colors": 2.5}, r"n_colors must be an integer in 2\.\.256, got 2\.5"),
        ({"rarity": -0.1}, r"rarity must be in \[0, 1\], got -0\.1"),
        ({"rarity": float("nan")}, r"rarity must be in \[0, 1\], got nan"),
    ],
)
def test_parameters_out_of_range_are_named(ab, parameters, message):
    with pytest.raises(ValueError, match=message):
        ColorPalette(**parameters).fit(ab)


def test_too_few_distinct_colors():
    ab = np.repeat([[1.0, 2.0], [3.0, 4.0]], 50, axis=0)
    with pytest.raises(ValueError, match="n_colors=3 needs as many distinct colours, got 2"):
        ColorPalette(n_colors=3).fit(ab)


@pytest.mark.parametrize("weight", [-1.0, float("nan")])
def test_weights_must_be_numbers_from_0_up(ab, weight):
    with pytest.raises(ValueError, match="sample_weight"):
        ColorPalette(n_colors=3).fit(ab, sample_weight=np.full(len(ab), weight))


def test_three_columns_are_no_ab(ab, palette):
    with pytest.raises(ValueError, match=r"X must be \(n_samples, 2\) ab colours, got 3 features"):
        ColorPalette(n_colors=3).fit(np.zeros((10, 3)))
    for encode in (palette.encode, palette.encode_soft):
        with pytest.raises(ValueError, match=r"ab must have shape \(n, 2\), got \(5, 3\)"):
            encode(np.zeros((5, 3)))


def test_decoding_checks_its_parameters(palette):
    probabilities = np.full((3, N_COLORS), 1 / N_COLORS, np.float32)
    for temperature in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"temperature must be in \[0, 1\]"):
            palette.decode(probabilities, temperature=temperature)
    for temperature in (0, 0.5):
        with pytest.raises(ValueError, match=rf"probabilities must have shape \(n, {N_COLORS}\), got \(3, 5\)"):
            palette.decode(probabilities[:, :5], temperature=temperature)


def test_nothing_works_before_fit(ab):
    for use in (ColorPalette().encode, ColorPalette().encode_soft, ColorPalette().decode):
        with pytest.raises(NotFittedError):
            use(ab)
