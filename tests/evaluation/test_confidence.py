"""Confidence against the truth: known answers, and that evaluations carry it."""

import json

import numpy as np
import pytest

from colorize.evaluation.confidence import ConfidenceObserver, check_confidence
from colorize.evaluation.measure import measure, only
from colorize.evaluation.run import evaluate_model
from colorize.exceptions import DatasetError


def test_honest_confidence_has_no_error():
    rng = np.random.default_rng(0)
    stated = rng.uniform(0, 1, (20, 5000))
    found = check_confidence(stated, rng.uniform(size=stated.shape) < stated, 1 - stated)
    assert found.expected_error < 0.01  # 10,000 draws per bin: 0.005 each
    np.testing.assert_allclose(found.stated, np.arange(0.05, 1, 0.1), atol=0.01)


def test_boasting_is_found_out():
    stated = np.full((5, 100), 0.9)
    half = np.tile([True, False], (5, 50))
    found = check_confidence(stated, half, stated)
    assert found.expected_error == pytest.approx(0.4)
    assert [interval.value for interval in found.accuracy] == [0.5] * 10


def test_pixels_of_one_photograph_count_as_one():
    stated = np.full((5, 1000), 0.9)
    found = check_confidence(stated, np.repeat([[True], [False]], [2, 3], axis=0) & (stated > 0), stated)
    assert found.accuracy[0].high - found.accuracy[0].low > 0.5  # five photographs, not five thousand pixels


def test_the_surest_come_first():
    error = np.tile(np.arange(1, 101.0), (6, 1))
    found = check_confidence(1 - error / 200, error < 50, error)
    assert found.best_quarter.value == pytest.approx(13)  # the mean of 1 to 25
    assert found.mean.value == pytest.approx(50.5)
    risk = [interval.value for interval in found.risk]
    np.testing.assert_allclose(risk, [np.arange(1, 5 * k + 1).mean() for k in range(1, 21)])
    assert found.coverage[[0, -1]].tolist() == [0.05, 1]


def test_confidence_that_says_nothing_ranks_nothing():
    rng = np.random.default_rng(0)
    error = rng.uniform(0, 20, (40, 500))
    found = check_confidence(rng.uniform(size=error.shape), error < 10, error)
    assert found.best_quarter.low < found.mean.value < found.best_quarter.high
    assert found.mean.value == pytest.approx(error.mean())


@pytest.mark.slow
def test_only_its_method_is_seen(tiny_colorizer, photos):
    seen = ConfidenceObserver()
    with pytest.raises(DatasetError, match="no photographs"):
        seen.check()
    methods = {"model": tiny_colorizer, "twin": tiny_colorizer}
    measure(methods, photos[:3], has_truth=[True, True, False], observers=[only(["model"], seen)])
    assert [row.shape for row in seen._rows] == [(3, 2000), (3, 2000)]
    result = tiny_colorizer.predict(photos[0])
    assert seen._rows[0][0].mean() == pytest.approx(result.confidence.mean(), abs=0.01)  # 2000 of 19,200 pixels


@pytest.mark.slow
def test_its_mean_is_that_of_the_evaluation(tiny_colorizer, photos):
    class ByLabel(list):
        """What a Series of pandas is after a split."""

        def __getitem__(self, label):
            raise KeyError(label)

    found = evaluate_model(tiny_colorizer, ByLabel(photo.pixels for photo in photos[:6]))
    # a tenth of the pixels of each photograph
    assert found.confidence.mean.value == pytest.approx(found.result.means()["model"]["ciede2000"], rel=0.03)
    read = json.loads(found.to_json())["confidence"]
    assert len(read["stated"]) == len(read["true"]) == 10
    assert read["best_quarter"]["value"] == pytest.approx(found.confidence.best_quarter.value)
