"""Reliability and log-loss: known answers for honest, boastful and timid probabilities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorize.evaluation.calibration import log_loss, reliability, to_palette


def drawn(n: int, n_colors: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows of probabilities, and true colours drawn from them."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(n_colors, 0.7), n)
    truth = (probabilities.cumsum(axis=1) < rng.uniform(size=(n, 1))).sum(axis=1)
    return probabilities, np.minimum(truth, n_colors - 1)


def test_probabilities_that_the_truth_was_drawn_from_are_calibrated():
    diagram = reliability(*drawn(60_000))
    assert diagram.expected_error < 0.012  # sampling noise: sqrt(0.25 / 4000) times 0.8 is 0.006
    assert np.all(np.diff(diagram.confidence) > 0)


def test_sharpened_probabilities_are_found_out():
    probabilities, truth = drawn(20_000)
    boastful = probabilities**2 / (probabilities**2).sum(axis=1, keepdims=True)
    diagram = reliability(boastful, truth)
    assert diagram.expected_error > 0.08
    assert (diagram.confidence > diagram.accuracy).mean() > 0.9
    assert log_loss(boastful, truth) > log_loss(probabilities, truth)


@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 50))
def test_bins_hold_equal_mass_whatever_the_order(n, n_bins, seed):
    probabilities, truth = drawn(n, seed=seed)
    diagram = reliability(probabilities, truth, n_bins=n_bins)
    assert diagram.mass.sum() == pytest.approx(1)
    assert diagram.mass.max() <= 1 / n_bins + 1 / n + 1e-9
    order = np.random.default_rng(seed).permutation(n)
    again = reliability(probabilities[order], truth[order], n_bins=n_bins)
    assert again.expected_error == pytest.approx(diagram.expected_error)


def test_weights_count_like_repeated_rows():
    probabilities, truth = drawn(30)
    counts = np.random.default_rng(1).integers(1, 4, 30)
    repeated = np.repeat(probabilities, counts, axis=0), np.repeat(truth, counts)
    assert log_loss(probabilities, truth, counts) == pytest.approx(log_loss(*repeated))
    weighted, plain = reliability(probabilities, truth, counts, n_bins=1), reliability(*repeated, n_bins=1)
    assert weighted.confidence == pytest.approx(plain.confidence)
    assert weighted.accuracy == pytest.approx(plain.accuracy)


def test_a_true_color_without_probability_costs_much_and_not_everything():
    assert 20 < log_loss([[1.0, 0.0]], [1]) < 30


def test_the_same_palette_changes_nothing():
    probabilities, _ = drawn(5)
    np.testing.assert_allclose(to_palette(probabilities, np.eye(6)), probabilities)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5, 0.5], [0]), r"probabilities must have shape \(n, K\) with n at least 1, got \(2,\)"),
        ((np.zeros((0, 2)), []), "with n at least 1"),
        (([[0.5, 0.5]], [0, 1]), r"truth must be \(1,\) integers, got shape \(2,\)"),
        (([[0.5, 0.5]], [0.5]), r"truth must be \(1,\) integers, got shape \(1,\), float64"),
        (([[0.5, 0.5]], [2]), r"truth must lie in 0\.\.1, got 2 to 2"),
        (([[0.5, 0.5]], [0], [-1]), "weights must be .* not negative"),
        (([[0.5, 0.5]], [0], [0]), "not all 0"),
    ],
)
def test_arrays_that_do_not_fit(arguments, message):
    for function in (reliability, log_loss):
        with pytest.raises(ValueError, match=message):
            function(*arguments)


def test_no_bins():
    with pytest.raises(ValueError, match="n_bins must be at least 1, got 0"):
        reliability([[0.5, 0.5]], [0], n_bins=0)
