"""Superpixels: whole partitions of any picture, borders on edges, statistics equal to plain loops."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from colorize.color import to_gray
from colorize.features.superpixels import (
    WORKING_PIXELS,
    from_labels,
    region_adjacency,
    region_map,
    region_means,
    resize_labels,
    segment,
    working_shape,
)

SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 40))
LABEL_MAPS = hnp.arrays(np.int64, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(-3, 6))


def noise(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 100, shape).astype(np.float32)


def check_partition(regions, shape):
    """Every region used, and areas, centres and adjacency those of the label map."""
    assert regions.shape == shape
    assert regions.labels.dtype == np.int32
    assert np.unique(regions.labels).tolist() == list(range(regions.n_superpixels))
    for k in range(regions.n_superpixels):
        rows, columns = np.nonzero(regions.labels == k)
        assert regions.areas[k] == len(rows)
        # 1e-3 pixels: centres are float32
        np.testing.assert_allclose(regions.centroids[k], [rows.mean(), columns.mean()], atol=1e-3)


def neighbours_by_loop(labels: np.ndarray) -> list[list[int]]:
    pairs = set()
    for (row, col), here in np.ndenumerate(labels):
        for other in (*labels[row + 1 : row + 2, col], *labels[row, col + 1 : col + 2]):
            if other != here:
                pairs.add((min(here, other), max(here, other)))
    return [list(map(int, pair)) for pair in sorted(pairs)]


@settings(max_examples=40)
@given(SHAPES, st.integers(1, 60), st.integers(0, 3))
def test_any_picture_is_cut_into_regions_that_are_all_used(shape, n_segments, seed):
    check_partition(segment(noise(shape, seed), n_segments=n_segments), shape)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1), (2, 2), (48, 64)])
def test_a_constant_picture_is_cut_too(shape):
    check_partition(segment(np.full(shape, 50, np.float32), n_segments=12), shape)


@pytest.mark.parametrize("n_segments", [20, 60, 200])
def test_the_number_of_regions_is_about_the_wish(photos, n_segments):
    found = segment(to_gray(photos[0]).lightness, n_segments=n_segments).n_superpixels
    assert 0.7 * n_segments < found < 1.4 * n_segments


def test_regions_of_a_photograph_are_in_one_piece(photos):
    regions = segment(to_gray(photos[0]).lightness, n_segments=60)
    for k in range(regions.n_superpixels):
        n_parts, _ = cv2.connectedComponents(np.uint8(regions.labels == k), connectivity=4)
        assert n_parts == 2  # what is outside counts as one


def halves(edge: int, dark: float, light: float) -> np.ndarray:
    """A picture of 60 x 60 pixels, dark in the columns before the edge and light behind it."""
    return np.where(np.arange(60) < edge, np.float32(dark), np.float32(light))[None, :].repeat(60, axis=0)


@pytest.mark.parametrize("edge", [12, 20, 30, 40, 48])
@pytest.mark.parametrize("n_segments", [6, 12])
def test_no_region_lies_on_both_sides_of_a_strong_edge(edge, n_segments):
    labels = segment(halves(edge, 20, 80), n_segments=n_segments).labels
    assert np.intersect1d(labels[:, :edge], labels[:, edge:]).size == 0


@settings(max_examples=30)
@given(st.integers(8, 52), st.integers(0, 40), st.integers(60, 100), st.booleans())
def test_a_region_takes_at_most_a_sliver_from_behind_a_strong_edge(edge, dark, light, is_lying):
    lightness = halves(edge, dark, light)
    regions = segment(lightness.T if is_lying else lightness, n_segments=12)
    behind = region_means(np.float32((lightness > 50).T if is_lying else lightness > 50), regions)
    sliver = np.minimum(behind, 1 - behind)
    # pieces below a quarter of the mean area are given to a neighbour
    assert sliver.max() < 0.25
    assert sliver @ regions.areas < 0.05 * 60 * 60


def test_a_higher_compactness_makes_rounder_regions():
    def border(compactness):
        labels = segment(noise((80, 80)), n_segments=25, sigma=2, compactness=compactness).labels
        return np.count_nonzero(np.diff(labels, axis=0)) + np.count_nonzero(np.diff(labels, axis=1))

    assert border(100) < border(2)


def test_without_smoothing_grain_hides_the_edge():
    is_behind = np.indices((80, 80))[1] >= 37
    grain = np.random.default_rng(0).normal(0, 12, is_behind.shape)
    lightness = np.float32(np.where(is_behind, 60, 40) + grain)

    def on_the_wrong_side(sigma):
        regions = segment(lightness, n_segments=25, compactness=5, sigma=sigma)
        behind = region_means(np.float32(is_behind), regions)
        return np.minimum(behind, 1 - behind) @ regions.areas

    # measured: 32 to 95 and 1600 to 1900 of 6400 pixels, by seed
    assert on_the_wrong_side(sigma=1) < 200
    assert on_the_wrong_side(sigma=0) > 1000  # crumbs of grain, which are then given to any neighbour


def test_the_number_of_threads_changes_nothing(photos):
    lightness = to_gray(photos[1]).lightness
    before = cv2.getNumThreads()
    found = []
    try:
        for threads in (1, 2):
            cv2.setNumThreads(threads)
            found.append(segment(lightness, n_segments=80).labels)
    finally:
        cv2.setNumThreads(before)
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_segments": 0}, "n_segments must be at least 1, got 0"),
        ({"compactness": 0}, "compactness must be positive, got 0"),
        ({"sigma": -1}, "sigma must not be negative, got -1"),
    ],
)
def test_parameters_out_of_range_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        segment(noise((10, 10)), **parameters)


def test_what_is_no_lightness_is_refused():
    with pytest.raises(ValueError, match=r"lightness must be finite L\* of shape \(H, W\), got shape \(10, 10, 3\)"):
        segment(np.zeros((10, 10, 3), np.uint8))
    with pytest.raises(ValueError, match=r"got shape \(0, 10\)"):
        segment(np.zeros((0, 10), np.float32))
    with pytest.raises(ValueError, match="lightness must be an array of numbers, got str"):
        segment("old.jpg")
    with pytest.raises(ValueError, match="got NaN or infinity"):
        segment(np.full((10, 10), np.nan))


@given(LABEL_MAPS)
def test_label_maps_of_any_numbering_keep_their_regions_and_order(labels):
    regions = from_labels(labels)
    check_partition(regions, labels.shape)
    np.testing.assert_array_equal(np.unique(labels)[regions.labels], labels)


@given(LABEL_MAPS)
def test_adjacency_is_that_of_a_walk_over_all_pixels(labels):
    labels = from_labels(labels).labels
    assert region_adjacency(labels).tolist() == neighbours_by_loop(labels)


@given(LABEL_MAPS, st.sampled_from([(), (1,), (3,)]), st.integers(0, 9))
def test_region_means_are_those_of_a_loop(labels, channels, seed):
    regions = from_labels(labels)
    values = np.random.default_rng(seed).normal(size=(*labels.shape, *channels)).astype(np.float32)
    expected = [values[regions.labels == k].mean(axis=0) for k in range(regions.n_superpixels)]
    means = region_means(values, regions)
    assert means.dtype == np.float32
    # 1e-6: float32 means of at most 81 values of size 1
    np.testing.assert_allclose(means, expected, atol=1e-6)


def test_region_means_refuse_another_shape():
    with pytest.raises(ValueError, match=r"values must have shape \(2, 3\)"):
        region_means(np.zeros((3, 2)), from_labels(np.zeros((2, 3), int)))


@given(LABEL_MAPS, st.integers(1, 4), st.integers(1, 4))
def test_labels_are_enlarged_by_repeating_and_come_back_the_same(labels, down, across):
    regions = from_labels(labels)
    large = resize_labels(regions, (labels.shape[0] * down, labels.shape[1] * across))
    np.testing.assert_array_equal(large, regions.labels.repeat(down, axis=0).repeat(across, axis=1))
    np.testing.assert_array_equal(resize_labels(from_labels(large), labels.shape), regions.labels)


@given(LABEL_MAPS, st.integers(1, 30), st.integers(1, 30))
def test_a_map_of_values_is_that_of_the_labels(labels, height, width):
    regions = from_labels(labels)
    values = np.arange(2 * regions.n_superpixels, dtype=np.float32).reshape(-1, 2)
    expected = values[resize_labels(regions, (height, width))]
    np.testing.assert_array_equal(region_map(values, regions, (height, width)), expected)


def test_labels_are_reduced_to_those_nearest_to_the_centres():
    regions = from_labels(np.arange(25).reshape(5, 5))
    assert resize_labels(regions, (1, 1)).tolist() == [[12]]
    assert resize_labels(regions, (3, 5)).tolist() == regions.labels[[0, 2, 4]].tolist()


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_the_working_shape_keeps_the_pixel_budget_and_the_aspect(height, width):
    rows, columns = working_shape((height, width))
    if height * width <= WORKING_PIXELS:
        assert (rows, columns) == (height, width)
    # rounding moves a side by at most half a pixel
    scale = (rows * columns / (height * width)) ** 0.5
    assert rows * columns <= WORKING_PIXELS + (rows + columns) / 2 + 1
    assert rows == 1 or columns == 1 or abs(rows / height - columns / width) <= 0.5 / height + 0.5 / width
    assert 0 < scale <= 1


def test_the_working_shape_of_a_long_strip_keeps_every_side_within_what_the_libraries_take():
    assert max(working_shape((1, 100_000))) < 2**15
    assert max(working_shape((500_000, 3))) < 2**15
    assert working_shape((1, 30_000)) == (1, 30_000)
