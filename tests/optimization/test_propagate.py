"""The door: what it promises, what it refuses, and what it does when memory is short."""

import tracemalloc
import warnings

import numpy as np
import pytest

from colorize.exceptions import ConvergenceWarning
from colorize.optimization import propagate
from colorize.optimization.propagate import BYTES_PER_PIXEL, fitting_shape
from colorize.optimization.reference import propagate_reference
from colorize.types import GrayImage


def test_colors_stop_at_the_edge_and_hints_are_exact(scene, hints):
    result = propagate(*scene, is_known=hints[0], known_ab=hints[1])
    assert result.ab.dtype == np.float32
    assert np.abs(result.ab[:, :20] - (60, -20)).max() < 6  # of 75: far from single hints, a floor of 1e-3 leaks 6 %
    assert np.abs(result.ab[:, 26:] - (-15, 40)).max() < 6
    np.testing.assert_array_equal(result.ab[hints[0]], hints[1][hints[0]])
    assert result.report.method == "multigrid"
    assert result.report.shape == (37, 50)
    assert not result.report.reduced


def test_neutral_gray_hints_count(scene, hints):
    is_known, known_ab = hints
    known_ab[30, 44] = 0
    result = propagate(*scene, is_known=is_known, known_ab=known_ab)
    assert np.abs(result.ab[:, 26:]).max() < 4
    assert np.abs(result.ab[:, :20] - (60, -20)).max() < 4


def test_result_stays_in_the_range_of_the_constraints(scene, hints):
    result = propagate(*scene, is_known=hints[0], known_ab=hints[1])
    assert result.ab[..., 0].max() <= 60
    assert result.ab[..., 0].min() >= -15


def test_an_isolated_region_without_constraints_takes_the_color_around_it(scene, hints):
    lightness, target, weight = scene
    lightness[10:14, 5:9] = 95
    result = propagate(lightness, target, weight, is_known=hints[0], known_ab=hints[1])
    assert np.abs(result.ab[10:14, 5:9] - (60, -20)).max() < 4


def test_wishes_and_hints_meet_in_one_system(scene, hints):
    lightness, target, weight = scene
    target[:] = (10, 10)
    weight[:] = 1e-3
    result = propagate(lightness, target, weight, is_known=hints[0], known_ab=hints[1])
    direct = propagate_reference(lightness, target, weight, is_known=hints[0], known_ab=hints[1])
    np.testing.assert_allclose(result.ab, direct.ab, atol=0.3)  # default tolerance
    np.testing.assert_array_equal(result.ab[hints[0]], hints[1][hints[0]])
    assert np.abs(result.ab[36, 20] - (60, -20)).max() > 1  # the wish pulls away from the hint


def test_no_constraint_is_one_clear_error(scene):
    with pytest.raises(ValueError, match=r"nothing to propagate.*add a wish or a hint"):
        propagate(*scene)
    with pytest.raises(ValueError, match="nothing to propagate"):
        propagate(*scene, is_known=np.zeros((37, 50), bool), known_ab=scene[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sigma": 0}, "sigma must be"),
        ({"floor": 0}, "floor must lie"),
        ({"memory_limit": 0}, "memory_limit must be"),
        ({"tolerance": np.nan}, "tolerance must be"),
        ({"tolerance": "0.3"}, "tolerance must be"),
        ({"maxiter": None}, "maxiter at least 1"),
        ({"sigma": "2"}, "sigma must be"),
        ({"floor": None}, "floor must lie"),
        ({"memory_limit": "1 GB"}, "memory_limit must be"),
        ({"maxiter": 0}, "maxiter at least 1"),
        ({"is_known": None}, "belong together"),
        ({"known_ab": np.full((37, 50, 2), np.nan, np.float32)}, "known_ab must be finite"),
        ({"known_ab": np.zeros((37, 50, 3), np.float32)}, "known_ab must have shape"),
        ({"is_known": np.zeros((3, 3), bool)}, "is_known must have the shape"),
        ({"start_ab": np.zeros((37, 50), np.float32)}, "start_ab must have shape"),
        ({"start_ab": [[0, 0]]}, "start_ab must have shape"),
        ({"known_ab": np.ma.masked_less(np.zeros((37, 50, 2)), 1)}, "known_ab has masked places"),
    ],
)
def test_bad_options_are_named(scene, hints, change, message):
    options = {"is_known": hints[0], "known_ab": hints[1], **change}
    with pytest.raises(ValueError, match=message) as error:
        propagate(*scene, **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("position", "value", "message"),
    [
        (0, np.zeros((3, 3, 3), np.float32), "lightness must be"),
        (0, np.full((37, 50), np.nan, np.float32), r"lightness must be L\* in \[0, 100\], got values from nan to nan"),
        (0, np.full((37, 50), 200, np.uint8), r"got values from 200 to 200; colorize\.to_gray\(photo\)\.lightness"),
        (1, np.zeros((37, 51, 2), np.float32), "target_ab must have shape"),
        (1, np.full((37, 50, 2), np.inf, np.float32), "target_ab must be finite"),
        (2, np.full((37, 50), -1, np.float32), "weight must be finite and at least 0"),
        (2, np.ones((37, 49), np.float32), "weight must have the shape"),
        (2, "old.jpg", r"weight must be an array of numbers, got str"),
        (0, np.ma.masked_less(np.zeros((37, 50)), 1), r"lightness has masked places.*lightness\.filled\(value\)"),
    ],
)
def test_bad_arrays_are_named(scene, position, value, message):
    arrays = list(scene)
    arrays[position] = value
    with pytest.raises(ValueError, match=message):
        propagate(*arrays)


def test_a_photograph_in_place_of_its_lightness_is_told(scene):
    with pytest.raises(TypeError, match=r"lightness must be an array, got a GrayImage; its \.lightness is one"):
        propagate(GrayImage(scene[0]), *scene[1:])


def test_stopping_early_is_said(scene, hints):
    rng = np.random.default_rng(0)
    lightness = rng.uniform(0, 100, (37, 50)).astype(np.float32)
    with pytest.warns(ConvergenceWarning, match="before it converged"):
        result = propagate(lightness, *scene[1:], is_known=hints[0], known_ab=hints[1], maxiter=1, tolerance=1e-6)
    assert not result.report.converged
    assert result.report.iterations == 1


def test_over_the_memory_budget_it_works_smaller_and_says_so(scene, hints):
    lightness, weight = (np.kron(image, np.ones((8, 8), np.float32)) for image in (scene[0], scene[2]))
    target = np.zeros((*lightness.shape, 2), np.float32)
    is_known, known_ab = np.kron(hints[0], np.ones((8, 8))) > 0, np.kron(hints[1], np.ones((8, 8, 1)))
    result = propagate(lightness, target, weight, is_known=is_known, known_ab=known_ab, memory_limit=1_400_000)
    assert result.report.reduced
    assert result.report.shape == (121, 164)
    assert result.ab.shape == (296, 400, 2)
    np.testing.assert_array_equal(result.ab[is_known], known_ab[is_known].astype(np.float32))
    assert np.abs(result.ab[:, :160] - (60, -20)).max() < 7
    assert np.abs(result.ab[:, 208:] - (-15, 40)).max() < 7


def test_a_solve_keeps_to_the_memory_that_is_stated():
    shape = 400, 500
    lightness = np.random.default_rng(0).uniform(0, 100, shape).astype(np.float32)
    target, weight = np.full((*shape, 2), 20, np.float32), np.full(shape, 1e-3, np.float32)
    propagate(lightness, target, weight)  # compiled and imported
    tracemalloc.start()
    result = propagate(lightness, target, weight)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < (BYTES_PER_PIXEL + 2) * lightness.size  # 2: the border, of so small a photograph
    assert result.report.bytes > 0.9 * peak


def test_wishes_weigh_the_same_at_every_size():
    """The same wish, enlarged, with its confidence spread over the pixels, draws the same colours."""
    rng = np.random.default_rng(3)
    lightness = np.full((64, 64), 50, np.float32)
    target = np.zeros((64, 64, 2), np.float32)
    target[:, 32:] = 40
    weight = np.full((64, 64), 1e-3, np.float32) * (1 + rng.random((64, 64), dtype=np.float32))
    full = propagate(lightness, target, weight)
    small = propagate(lightness, target, weight, memory_limit=70 * 32 * 32)
    assert small.report.shape == (32, 32)
    np.testing.assert_allclose(small.ab, full.ab, atol=1.5)  # of 40; half the resolution


@pytest.mark.parametrize("shape", [(3000, 4000), (1, 10**7), (10**7, 1), (2, 10**7), (50, 300_000), (10, 20)])
def test_a_shape_that_fits_fits(shape):
    n_pixels = 10**6
    height, width = fitting_shape(shape, n_pixels * BYTES_PER_PIXEL)
    assert height * width <= n_pixels
    assert fitting_shape((height, width), n_pixels * BYTES_PER_PIXEL) == (height, width)
    if shape[0] * shape[1] > n_pixels:
        assert height * width > 0.9 * n_pixels or 1 in (height, width)


def test_an_answer_with_a_first_guess_agrees_with_a_cold_one(scene, hints):
    first = propagate(*scene, is_known=hints[0], known_ab=hints[1], tolerance=0.01)
    is_known, known_ab = hints[0].copy(), hints[1].copy()
    is_known[20, 10:15] = True
    known_ab[20, 10:15] = (0, 70)
    warm = propagate(*scene, is_known=is_known, known_ab=known_ab, tolerance=0.01, start_ab=first.ab)
    cold = propagate(*scene, is_known=is_known, known_ab=known_ab, tolerance=0.01)
    np.testing.assert_allclose(warm.ab, cold.ab, atol=0.1)
    np.testing.assert_array_equal(warm.ab[is_known], known_ab[is_known])
    back = propagate(*scene, is_known=hints[0], known_ab=hints[1], tolerance=0.01, start_ab=warm.ab)
    np.testing.assert_allclose(back.ab, first.ab, atol=0.1)


@pytest.mark.parametrize(("start", "tolerance"), [(False, 0.3), (True, 1.0)])
def test_whoever_draws_gets_an_answer_sooner(scene, hints, start, tolerance):
    given = {"is_known": hints[0], "known_ab": hints[1], "start_ab": scene[1] if start else None}
    np.testing.assert_array_equal(
        propagate(*scene, **given).ab,
        propagate(*scene, **given, tolerance=tolerance).ab,
    )


def test_wishes_may_be_the_first_guess(scene):
    lightness, target, weight = scene
    target[:, 25:], weight[:] = (30, -10), 0.1
    started = propagate(lightness, target, weight, from_wishes=True)
    np.testing.assert_array_equal(started.ab, propagate(lightness, target, weight, start_ab=target).ab)
    assert np.abs(started.ab - propagate(lightness, target, weight).ab).max() > 0


def test_inputs_are_left_alone(scene, hints):
    start_ab = np.full((37, 50, 2), 7, np.float32)
    arrays = (*scene, *hints, start_ab)
    copies = [a.copy() for a in arrays]
    arrays[2][0, 0] = copies[2][0, 0] = 0.5
    for array in arrays:
        array.flags.writeable = False
    result = propagate(*scene, is_known=hints[0], known_ab=hints[1], start_ab=start_ab)
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert result.ab.flags.writeable


def test_nothing_is_warned_about_on_a_normal_solve(scene, hints):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        propagate(*scene, is_known=hints[0], known_ab=hints[1])
