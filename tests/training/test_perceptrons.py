"""The committee of small nets, alone and in a vote."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator

from colorize.training.classifier import CalibratedClassifier, KernelSVM
from colorize.training.perceptrons import NeuralNets


def rings(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three classes by distance from the middle: no straight line tells them apart."""
    X = np.random.default_rng(seed).normal(size=(n, 2)).astype(np.float32)
    return X, np.digitize(np.hypot(*X.T), [0.8, 1.5])


@pytest.mark.slow
def test_scikit_learn_manners():
    single = "float32 probabilities differ by more than its 1e-7"
    expected = {"check_methods_sample_order_invariance": single, "check_methods_subset_invariance": single}
    # enough passes over the few rows of the checks
    nets = NeuralNets(n_nets=2, hidden=(32, 16), share=1.0, n_epochs=30, alpha=1e-3)
    check_estimator(nets, expected_failed_checks=expected, on_skip=None)


@pytest.mark.slow
def test_rings_are_learnt_and_probabilities_sum_to_one():
    X, y = rings(3000)
    nets = NeuralNets(n_nets=3, n_epochs=15, alpha=1e-3).fit(X, y)
    probabilities = nets.predict_proba(X)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (nets.predict(X) == y).mean() > 0.9  # chance would be 0.4


@pytest.mark.slow
def test_two_classes_are_two_columns():
    X, y = rings(1500)
    nets = NeuralNets(n_nets=2, n_epochs=30, alpha=1e-3).fit(X, y > 0)
    assert nets.predict_proba(X).shape == (1500, 2)
    assert (nets.predict(X) == (y > 0)).mean() > 0.9


def test_a_member_sees_whole_photographs_and_only_its_share_of_them(monkeypatch):
    X, y = rings(400)
    photo = np.repeat([0, 1, 2, 3], 100)
    X[:, 0] = photo  # every row says where it is from
    seen = []
    fit = NeuralNets._fit_net
    monkeypatch.setattr(NeuralNets, "_fit_net", lambda self, rows, *rest: seen.append(rows) or fit(self, rows, *rest))
    NeuralNets(n_nets=8, hidden=(8, 8), share=0.5, n_epochs=1).fit(X, y, groups=photo)
    assert [len(rows) for rows in seen] == [200] * 8
    assert {len(np.unique(rows[:, 0])) for rows in seen} == {2}
    assert len({tuple(np.unique(rows[:, 0])) for rows in seen}) > 1


def test_equal_seeds_give_equal_nets_and_the_scale_of_the_features_plays_no_part():
    X, y = rings(600)
    one, two = (NeuralNets(n_nets=2, random_state=4).fit(X, y) for _ in range(2))
    for a, b in zip(one.weights_ + one.biases_, two.weights_ + two.biases_, strict=True):
        np.testing.assert_array_equal(a, b)
    larger = NeuralNets(n_nets=2, random_state=4).fit(X * 64, y)
    # float16 weights: about 1e-3 of each
    np.testing.assert_allclose(larger.predict_proba(X * 64), one.predict_proba(X), atol=0.01)


def test_weights_survive_half_precision():
    nets = NeuralNets(n_nets=2).fit(*rings(300))
    for weights in nets.weights_:
        np.testing.assert_array_equal(weights, weights.astype(np.float16))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_nets": 0}, "n_nets must be a positive integer, got 0"),
        ({"n_epochs": 1.5}, r"n_epochs must be a positive integer, got 1\.5"),
        ({"hidden": (8, 0)}, "hidden must be a positive integer, got 0"),
        ({"share": 0}, r"share must be in \(0, 1\], got 0"),
        ({"alpha": -1}, "alpha must be at least 0, got -1"),
        ({"alpha": float("nan")}, "alpha must be at least 0, got nan"),
    ],
)
def test_parameters_out_of_range_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        NeuralNets(**parameters).fit(*rings(30))


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="at least two classes, got one class: 1"):
        NeuralNets().fit(rings(20)[0], np.ones(20, int))


@pytest.mark.parametrize("scale", [1e-7, 1e7])
def test_weights_that_half_precision_cannot_hold_are_refused(scale):
    X, y = rings(300)
    with pytest.raises(ValueError, match=r"X varies by \d.*e.0\d, .* half precision: scale X to about 1"):
        NeuralNets(2).fit(X * np.float32(scale), y)


# The vote


def test_a_vote_is_the_mean_of_both():
    X, y = rings(600)
    photo = np.arange(600) // 30
    svm, nets = KernelSVM(50, gamma=0.5, random_state=0), NeuralNets(n_nets=2)
    vote = CalibratedClassifier(svm, partner=nets).fit(X, y, groups=photo)
    alone = CalibratedClassifier(svm).fit(X, y, groups=photo)
    expected = (alone.predict_proba(X) + NeuralNets(n_nets=2).fit(X, y, photo).predict_proba(X)) / 2
    np.testing.assert_allclose(vote.predict_proba(X), expected, atol=1e-6)
    assert not hasattr(nets, "classes_")  # a copy was fitted


def test_both_learn_from_the_rows_of_a_new_calibration():
    X, y = rings(600)
    svm, nets = KernelSVM(50, gamma=0.5, random_state=0), NeuralNets(n_nets=2)
    vote = CalibratedClassifier(svm, partner=nets).fit(X, y)
    other = vote.recalibrated(X[:200], 1 - y[:200], alpha=1e-3)
    np.testing.assert_array_equal(
        other.partner_.predict_proba(X), NeuralNets(n_nets=2).fit(X[:200], 1 - y[:200]).predict_proba(X)
    )
    assert other.estimator_ is vote.estimator_
