"""Shapley values of families: they add up, nothing is given for nothing, and they equal the definition."""

from itertools import permutations

import numpy as np
import pytest

from colorize.explanation.attribution import attribute


def made(n_families=4, n_rows=5, n_components=3, seed=0):
    rng = np.random.default_rng(seed)
    row = rng.normal(size=(n_families, n_components)).astype(np.float32)
    return row, rng.normal(size=(n_families, n_rows, n_components)).astype(np.float32)


def bumpy(rows):
    return np.sin(rows[:, 0]) * rows[:, 1] + np.exp(-(rows[:, 2] ** 2))


def by_definition(score, row, background):
    """Mean over all orders of joining of what each family adds."""
    n_families = len(row)
    orders = list(permutations(range(n_families)))
    parts = np.zeros(n_families)
    for order in orders:
        mixed = background.copy()
        before = score(mixed.sum(axis=0)).mean()
        for family in order:
            mixed[family] = row[family]
            after = score(mixed.sum(axis=0)).mean()
            parts[family] += (after - before) / len(orders)
            before = after
    return parts


def test_equal_to_the_mean_over_all_orders():
    row, background = made()
    expected = by_definition(bumpy, row, background)
    np.testing.assert_allclose(attribute(bumpy, row, background)[1], expected, atol=1e-6)  # float32 rows


@pytest.mark.parametrize("n_families", [1, 3, 8])
def test_parts_add_up_to_the_score(n_families):
    row, background = made(n_families, n_rows=7)
    start, parts = attribute(bumpy, row, background)
    assert start == pytest.approx(bumpy(background.sum(axis=0)).mean(), abs=1e-6)
    assert start + parts.sum() == pytest.approx(bumpy(row.sum(axis=0)[None])[0], abs=1e-5)


def test_a_family_that_changes_nothing_gets_nothing_and_twins_get_the_same():
    row, background = made()
    background[2] = row[2]
    row[3], background[3] = row[1], background[1]
    parts = attribute(bumpy, row, background)[1]
    assert parts[2] == pytest.approx(0, abs=1e-6)
    assert parts[1] == pytest.approx(parts[3], abs=1e-6)


def test_many_background_rows_are_taken_in_blocks():
    row, background = made(8, n_rows=70)  # 256 coalitions: 17,920 mixtures, more than one block
    seen = []

    def score(rows):
        seen.append(len(rows))
        return bumpy(rows)

    start, parts = attribute(score, row, background)
    assert sum(seen) == 256 * 70
    assert max(seen) <= 8192
    assert start + parts.sum() == pytest.approx(bumpy(row.sum(axis=0)[None])[0], abs=1e-5)


def test_shapes_must_match():
    row, background = made()
    with pytest.raises(ValueError, match=r"row must be \(4, 3\)"):
        attribute(bumpy, row[:3], background)
