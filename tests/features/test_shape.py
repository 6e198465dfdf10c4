"""Shape family: outlines with known moments."""

import numpy as np
import pytest

from colorize.features.shape import shape

SQUARE, LYING, STANDING, BEHIND = range(4)


@pytest.fixture(scope="module")
def columns(analyse):
    labels = np.full((40, 60), BEHIND)
    labels[2:12, 2:12] = SQUARE
    labels[20:22, 5:55] = LYING
    labels[5:15, 40] = STANDING
    values, names = shape(analyse(np.zeros(labels.shape), labels=labels))
    return dict(zip(names, values.T, strict=True))


def test_areas_are_logarithms_of_shares_of_the_mean(columns):
    areas = np.array([100, 100, 10, 2400 - 210])
    np.testing.assert_allclose(columns["log area"], np.log(areas / 600), atol=1e-6)


def test_a_square_has_no_direction(columns):
    assert columns["elongation"][SQUARE] == pytest.approx(0, abs=1e-6)
    assert columns["lying"][SQUARE] == pytest.approx(0, abs=1e-6)


def test_bars_are_elongated_along_their_direction(columns):
    # A bar of l x w pixels has the second moments l^2 / 12 and w^2 / 12.
    assert columns["elongation"][LYING] == pytest.approx((2500 - 4) / (2500 + 4), abs=1e-5)
    assert columns["lying"][LYING] == pytest.approx(columns["elongation"][LYING], abs=1e-6)
    assert columns["elongation"][STANDING] == pytest.approx((100 - 1) / (100 + 1), abs=1e-5)
    assert columns["lying"][STANDING] == pytest.approx(-columns["elongation"][STANDING], abs=1e-6)


def test_a_diagonal_is_elongated_and_neither_lies_nor_stands(analyse):
    values, names = shape(analyse(np.zeros((20, 20)), labels=np.eye(20, dtype=int)))
    elongation, lying = values[1, names.index("elongation")], values[1, names.index("lying")]
    assert elongation > 0.95
    assert lying == pytest.approx(0, abs=1e-6)


def test_neighbours_are_counted_in_sixths(columns):
    np.testing.assert_allclose(columns["neighbours"] * 6, [1, 1, 1, 3], atol=1e-6)


def test_a_mirror_image_has_the_same_shapes(textured, mirrored):
    np.testing.assert_allclose(shape(textured)[0], shape(mirrored)[0], atol=1e-5)
