"""LBP family: patterns against a loop over neighbours and against scikit-image."""

import numpy as np
from skimage.feature import local_binary_pattern

from colorize.features.lbp import N_PATTERNS, THRESHOLD, lbp, uniform_patterns

RING = [(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)]


def patterns_by_loop(gray: np.ndarray) -> np.ndarray:
    height, width = gray.shape
    patterns = np.empty(gray.shape, int)
    for (row, col), here in np.ndenumerate(gray):
        around = [gray[np.clip(row + r, 0, height - 1), np.clip(col + c, 0, width - 1)] for r, c in RING]
        brighter = [value > here + np.float32(THRESHOLD) for value in around]
        changes = sum(brighter[i] != brighter[i - 1] for i in range(8))
        patterns[row, col] = sum(brighter) if changes <= 2 else N_PATTERNS - 1
    return patterns


def test_patterns_are_those_of_a_loop():
    rng = np.random.default_rng(0)
    for shape in [(1, 1), (1, 6), (13, 17)]:
        gray = (rng.integers(0, 8, shape) / np.float32(7)).astype(np.float32)
        np.testing.assert_array_equal(uniform_patterns(gray), patterns_by_loop(gray))


def test_patterns_are_those_of_scikit_image():
    # In a sum of a row profile and a column profile the interpolated diagonal neighbours of scikit-image are darker or
    # brighter than the centre exactly when ours are; even steps down and odd ones across leave no ties.
    rng = np.random.default_rng(1)
    down = np.cumsum(rng.choice([-4, -2, 2, 4], 30))
    across = np.cumsum(rng.choice([-3, -1, 1, 3], 40))
    gray = down[:, None] + across[None, :]
    theirs = local_binary_pattern(gray, 8, 1, method="uniform")
    ours = uniform_patterns(gray.astype(np.float32))
    np.testing.assert_array_equal(ours[1:-1, 1:-1], theirs[1:-1, 1:-1])
    assert len(np.unique(ours[1:-1, 1:-1])) >= 5


def test_differences_below_one_step_of_lightness_are_no_texture(analyse):
    faint = 50 + np.random.default_rng(0).uniform(0, 0.9, (32, 32))
    values, names = lbp(analyse(faint))
    assert (values[:, names.index("scale 1, pattern 0")] == 1).all()


def test_shares_of_every_scale_sum_to_one(odd):
    values, _ = lbp(odd)
    np.testing.assert_allclose(values[:, :N_PATTERNS].sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(values[:, N_PATTERNS:].sum(axis=1), 1, atol=1e-6)


def test_shares_are_counted_over_the_region(textured):
    patterns, labels = uniform_patterns(textured.gray), textured.superpixels.labels
    expected = [np.bincount(patterns[labels == k], minlength=N_PATTERNS) / (labels == k).sum() for k in (0, 7, 20)]
    np.testing.assert_allclose(lbp(textured)[0][[0, 7, 20], :N_PATTERNS], expected, atol=1e-6)


def test_patterns_do_not_change_when_the_picture_is_turned_or_mirrored():
    gray = np.random.default_rng(2).uniform(0, 1, (15, 15)).astype(np.float32)
    expected = uniform_patterns(gray)
    np.testing.assert_array_equal(uniform_patterns(np.ascontiguousarray(gray[:, ::-1]))[:, ::-1], expected)
    np.testing.assert_array_equal(np.rot90(uniform_patterns(np.rot90(gray).copy()), -1), expected)
