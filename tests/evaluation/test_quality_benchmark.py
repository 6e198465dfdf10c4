"""What benchmarks/quality.py computes itself: known answers for honest, boastful and timid probabilities."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorize.evaluation.measure import measure
from colorize.recognition.rules import NO_COLOR
from colorize.training.quantization import ColorPalette

BENCHMARK = runpy.run_path(str(Path(__file__).resolve().parents[2] / "benchmarks" / "quality.py"))
translation, ProbabilityObserver = BENCHMARK["translation"], BENCHMARK["ProbabilityObserver"]
log_loss, reliability = BENCHMARK["log_loss"], BENCHMARK["reliability"]


def expected_error(stated: np.ndarray, true: np.ndarray, mass: np.ndarray) -> float:
    return mass @ np.abs(stated - true)


def drawn(n: int, n_colors: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows of probabilities, and true colours drawn from them."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(n_colors, 0.7), n)
    truth = (probabilities.cumsum(axis=1) < rng.uniform(size=(n, 1))).sum(axis=1)
    return probabilities, np.minimum(truth, n_colors - 1)


def test_probabilities_that_the_truth_was_drawn_from_are_calibrated():
    found = reliability(*drawn(60_000), np.ones(60_000))
    assert expected_error(*found) < 0.012  # sampling noise: sqrt(0.25 / 4000) times 0.8 is 0.006
    assert np.all(np.diff(found[0]) > 0)


def test_sharpened_probabilities_are_found_out():
    probabilities, truth = drawn(20_000)
    boastful = probabilities**2 / (probabilities**2).sum(axis=1, keepdims=True)
    weights = np.ones(20_000)
    stated, true, mass = reliability(boastful, truth, weights)
    assert expected_error(stated, true, mass) > 0.08
    assert (stated > true).mean() > 0.9
    assert log_loss(boastful, truth, weights) > log_loss(probabilities, truth, weights)


@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 50))
def test_bins_hold_equal_mass_whatever_the_order(n, n_bins, seed):
    probabilities, truth = drawn(n, seed=seed)
    found = reliability(probabilities, truth, np.ones(n), n_bins)
    assert found[2].sum() == pytest.approx(1)
    assert found[2].max() <= 1 / n_bins + 1 / n + 1e-9
    order = np.random.default_rng(seed).permutation(n)
    again = reliability(probabilities[order], truth[order], np.ones(n), n_bins)
    assert expected_error(*again) == pytest.approx(expected_error(*found))


def test_weights_count_like_repeated_rows():
    probabilities, truth = drawn(30)
    counts = np.random.default_rng(1).integers(1, 4, 30)
    repeated = np.repeat(probabilities, counts, axis=0), np.repeat(truth, counts), np.ones(counts.sum())
    assert log_loss(probabilities, truth, counts) == pytest.approx(log_loss(*repeated))
    np.testing.assert_allclose(reliability(probabilities, truth, counts, 1), reliability(*repeated, 1))


def test_a_true_color_without_probability_costs_much_and_not_everything():
    assert 20 < log_loss(np.array([[1.0, 0.0]]), np.array([1]), np.ones(1)) < 30


def test_the_same_palette_changes_nothing():
    ab = np.random.default_rng(0).normal(0, 30, (200, 2))
    palette = ColorPalette(6).fit(ab)
    np.testing.assert_array_equal(translation(palette, palette, ab), np.eye(6))


def test_a_color_is_shared_as_the_regions_nearest_to_it_are():
    ab = np.array([[0, 0], [30, 0], [34, 0], [0, 30], [0, 34]], float)
    coarse, fine = ColorPalette(3).fit(ab), ColorPalette(5).fit(ab)
    table = translation(coarse, fine, ab, [1, 1, 3, 1, 1])
    np.testing.assert_allclose(table.sum(axis=1), 1)
    red = table[coarse.encode([[32, 0]])[0]]
    assert red[fine.encode([[30, 0]])[0]] == pytest.approx(0.25)
    assert red[fine.encode([[34, 0]])[0]] == pytest.approx(0.75)


def test_a_color_that_no_region_has_goes_to_the_nearest():
    ab = np.array([[0, 0], [30, 0], [0, 30]], float)
    source, target = ColorPalette(3).fit(ab), ColorPalette(2).fit(ab[:2])
    table = translation(source, target, ab[:2])
    assert table[source.encode(ab[[2]])[0]].tolist() == [1, 0]


def test_the_observer_collects_what_a_model_believes(tiny_colorizer, photos):
    palette = tiny_colorizer.palette_
    coarse = ColorPalette(3).fit(palette.colors_)
    observers = [
        ProbabilityObserver(other, translation(palette, other, palette.colors_)) for other in (palette, coarse)
    ]
    methods = {"gray": NO_COLOR, "model": tiny_colorizer}
    measure(methods, photos[:3], has_truth=[True, False, True], observers=observers)
    believed = [tiny_colorizer.predict(photo).probabilities for photo in (photos[0], photos[2])]
    probabilities, truth, weights = observers[0].found()
    np.testing.assert_allclose(probabilities, np.concatenate(believed))
    assert weights.sum() == pytest.approx(2)
    shared, _, _ = observers[1].found()
    assert shared.shape == (len(truth), 3)
    np.testing.assert_allclose(shared.sum(axis=1), 1, atol=1e-5)
    frequencies = np.tile(palette.frequencies_, (len(truth), 1))
    # it was trained on these photographs
    assert log_loss(probabilities, truth, weights) < log_loss(frequencies, truth, weights)
