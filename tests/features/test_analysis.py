"""What the families share: pyramid, centres, neighbours, means, samples."""

import numpy as np
import pytest

from colorize.features import PhotoAnalysis
from colorize.features.superpixels import from_labels

GRID = np.arange(12).reshape(3, 4).repeat(8, axis=0).repeat(8, axis=1)


def test_the_pyramid_keeps_a_plain_picture_and_halves_its_size(analyse):
    photo = analyse(np.full((37, 91), 40))
    assert [level.shape for level in photo.pyramid] == [(37, 91), (19, 46), (10, 23), (5, 12), (3, 6), (2, 3)]
    for level in photo.pyramid:
        np.testing.assert_allclose(level, 0.4, atol=1e-6)


def test_neighbours_average_over_the_touching_regions(analyse):
    photo = analyse(np.zeros(GRID.shape), labels=GRID)
    values = np.arange(12, dtype=np.float32) ** 2
    averages = photo.neighbours @ values
    assert averages[0] == (1 + 16) / 2
    assert averages[5] == (1 + 16 + 36 + 81) / 4
    # 1e-6: rows of float32 weights
    np.testing.assert_allclose(photo.neighbours.sum(axis=1), 1, atol=1e-6)


def test_a_region_without_neighbours_is_its_own(analyse):
    photo = analyse(np.zeros((4, 4)), labels=np.zeros((4, 4), int))
    assert (photo.neighbours @ np.array([3.0], np.float32)).tolist() == [3]


def test_centres_are_fractions_of_the_picture(analyse):
    photo = analyse(np.zeros((2, 4)), labels=np.array([[0, 0, 1, 1], [0, 0, 1, 1]]))
    assert photo.relative_centroids.tolist() == [[0.5, 0.25], [0.5, 0.75]]


def test_samples_at_the_centres_are_those_of_the_map(analyse):
    photo = analyse(np.zeros(GRID.shape), labels=GRID)
    rows, columns = np.indices(GRID.shape, dtype=np.float32)
    np.testing.assert_allclose(photo.at_centroids(rows), photo.superpixels.centroids[:, 0], atol=1e-4)
    both = photo.at_centroids(np.dstack([rows, columns]))
    np.testing.assert_allclose(both, photo.superpixels.centroids, atol=1e-4)


def test_samples_outside_the_outermost_pixels_are_those_of_the_border(analyse):
    photo = analyse(np.zeros((8, 8)), labels=np.arange(64).reshape(8, 8))
    samples = photo.at_centroids(np.array([[1, 2], [3, 4]], np.float32)).reshape(8, 8)
    assert samples[[0, 0, 7, 7], [0, 7, 0, 7]].tolist() == [1, 2, 3, 4]


def test_superpixels_must_be_of_the_same_picture():
    with pytest.raises(ValueError, match=r"superpixels must have the shape \(3, 4\), got \(4, 3\)"):
        PhotoAnalysis(np.zeros((3, 4), np.float32), from_labels(np.zeros((4, 3), int)))


def test_samples_of_coarse_levels_lie_where_the_pyramid_put_their_pixels(analyse):
    ramp = np.tile(np.linspace(10, 90, 129, dtype=np.float32), (65, 1))
    photo = analyse(ramp)
    inside = np.abs(photo.superpixels.centroids[:, 1] - 64) < 30  # the pyramid bends a ramp at the borders only
    for level in (1, 2, 3):
        samples = photo.at_centroids(photo.pyramid[level], level)
        np.testing.assert_allclose(samples[inside], photo.at_centroids(photo.gray)[inside], atol=2e-3)
