"""Bootstrap intervals: coverage, pairing, ratios, and honesty about too few photographs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorize._support.statistics import Bootstrap, Interval


@pytest.mark.parametrize("n_photos", [8, 40])
def test_interval_covers_the_true_mean_as_often_as_it_says(n_photos):
    rng = np.random.default_rng(0)
    bootstrap = Bootstrap(n_photos)
    intervals = [bootstrap.mean(rng.normal(4, 2, n_photos)) for _ in range(400)]
    share = np.mean([interval.low <= 4 <= interval.high for interval in intervals])
    assert 0.92 < share < 0.98  # 400 draws have a standard error of 1.1 %; plain percentiles give 0.90 for 8 values


def test_differences_are_paired():
    rng = np.random.default_rng(1)
    hard = rng.normal(10, 5, 50)
    better = hard - 0.5 + rng.normal(0, 0.1, 50)
    bootstrap = Bootstrap(50)
    difference = bootstrap.mean(better - hard)
    assert difference.excludes(0)
    assert difference.high - difference.low < 0.1  # the spread between photographs (5) has cancelled out
    assert not Interval(0.3, -0.1, 0.7).excludes(0)


def test_an_interval_is_written_in_any_form_and_else_with_two_digits():
    assert f"{Interval(-1, -2, 0.5):+.1f}" == "-1.0 (-2.0 to +0.5)"
    assert f"{Interval(-1, -2, 0.5)}" == str(Interval(-1, -2, 0.5)) == "-1.00 (-2.00 to 0.50)"
    assert f"{Interval(0.25)}" == "0.25"


@given(st.lists(st.floats(-100, 100), min_size=5, max_size=30))
def test_mean_lies_in_its_interval_and_inside_the_data(values):
    interval = Bootstrap(len(values)).mean(values)
    assert min(values) - 1e-9 <= interval.low <= interval.high <= max(values) + 1e-9
    assert interval.value == pytest.approx(np.mean(values), abs=1e-9)


def test_photographs_without_a_value_are_left_out():
    values = np.array([1.0, 2, 3, 4, 5, 6, np.nan])
    interval = Bootstrap(7).mean(values)
    assert interval.value == 3.5
    assert interval.low > 1


def test_ratio_of_means_is_not_the_mean_of_ratios():
    top, bottom = np.array([10.0, 20, 10, 20, 10, 20]), np.array([5.0, 55, 5, 55, 5, 55])
    interval = Bootstrap(6).ratio(top, bottom)
    assert interval.value == pytest.approx(0.5)
    assert interval.low < 0.5 < interval.high


def test_few_photographs_have_no_interval():
    interval = Bootstrap(4).mean([1.0, 2, 3, 4])
    assert interval.value == 2.5
    assert not interval.known
    assert not interval.excludes(0)
    assert str(interval) == "2.50"
    assert np.isnan(Bootstrap(2).mean([np.nan, np.nan]).value)


def test_equal_seeds_give_equal_limits_and_bad_input_is_refused():
    values = np.random.default_rng(0).normal(size=20)
    assert Bootstrap(20, random_state=3).mean(values) == Bootstrap(20, random_state=3).mean(values)
    assert Bootstrap(20, random_state=3).mean(values) != Bootstrap(20, random_state=4).mean(values)
    with pytest.raises(ValueError, match="n_photos"):
        Bootstrap(0)
    with pytest.raises(ValueError, match="shape"):
        Bootstrap(5).mean([1.0, 2.0])
