"""All solvers agree, all forms are what they say, and the answer has the properties of the problem."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorize.optimization import affinity, solvers, system

KEEP = {"max_examples": 25, "deadline": None, "derandomize": True}


@st.composite
def problems(draw, max_side=40):
    """A photo of any shape, textured, flat or cut in two, with wishes, known pixels, or both."""
    height, width = draw(st.integers(1, max_side)), draw(st.integers(1, max_side))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(["texture", "smooth", "flat", "halves"]))
    lightness = {
        "texture": lambda: rng.uniform(0, 100, (height, width)),
        "smooth": lambda: np.cumsum(np.cumsum(rng.normal(0, 0.3, (height, width)), 0), 1) % 100,
        "flat": lambda: np.full((height, width), 50.0),
        "halves": lambda: np.where(np.arange(width) < width // 2, 20.0, 80.0) + np.zeros((height, 1)),
    }[kind]().astype(np.float32)
    ab = rng.uniform(-80, 80, (height, width, 2)).astype(np.float32)
    wished = rng.random((height, width)) < draw(st.sampled_from([0.0, 0.1, 1.0]))
    weight = (wished * draw(st.sampled_from([1e-3, 0.05, 1.0]))).astype(np.float32)
    is_known = rng.random((height, width)) < draw(st.sampled_from([0.0, 0.05]))
    if not wished.any():
        is_known.flat[rng.integers(is_known.size)] = True
    return lightness, ab, weight, is_known


def stencil(lightness, ab, weight, is_known, *, floor=0.01):
    planes = affinity.gaussian(lightness, sigma=1.5, floor=floor)
    return system.stencil_system(planes, ab, weight, is_known=is_known, known_ab=ab)


@given(problems())
@settings(**KEEP)
def test_multigrid_agrees_with_a_direct_solver(problem):
    expected, _ = solvers.solve(stencil(*problem), "direct")
    ab, report = solvers.solve(stencil(*problem), "multigrid", tolerance=1e-3)
    assert report.converged
    assert report.relative_residual < 1e-3
    np.testing.assert_allclose(ab, expected, atol=0.02)  # of colours up to 80; tolerance 1e-3 per step


@given(problems())
@settings(**KEEP)
def test_maximum_principle(problem):
    _, ab, weight, is_known = problem
    result, _ = solvers.solve(stencil(*problem), "multigrid", tolerance=1e-4)
    given_ab = ab[is_known | (weight > 0)]
    assert (result - given_ab.max(axis=0)).max() < 1e-3 * 80  # 1e-3 of the range of colours
    assert (given_ab.min(axis=0) - result).max() < 1e-3 * 80


@given(problems())
@settings(**KEEP)
def test_constant_constraints_give_a_constant_field(problem):
    lightness, ab, weight, is_known = problem
    ab[:] = (-37.25, 61.5)
    result, report = solvers.solve(stencil(lightness, ab, weight, is_known), "multigrid", tolerance=1e-3)
    assert report.converged
    np.testing.assert_allclose(result, ab, atol=0.05)  # before any clipping to the range of the constraints


@given(problems())
@settings(**KEEP)
def test_known_pixels_are_met_exactly(problem):
    result, _ = solvers.solve(stencil(*problem), "multigrid")
    np.testing.assert_array_equal(result[problem[3]], problem[1][problem[3]])


@given(problems(), st.sampled_from(["left-right", "up-down", "transposed"]))
@settings(**KEEP)
def test_flipping_the_photo_flips_the_field(problem, flip):
    turn = {
        "left-right": lambda a: a[:, ::-1],
        "up-down": lambda a: a[::-1],
        "transposed": lambda a: np.swapaxes(a, 0, 1),
    }[flip]
    straight, _ = solvers.solve(stencil(*problem), "multigrid", tolerance=1e-3)
    flipped, _ = solvers.solve(stencil(*(np.ascontiguousarray(turn(a)) for a in problem)), "multigrid", tolerance=1e-3)
    np.testing.assert_allclose(flipped, turn(straight), atol=0.04)  # twice the tolerance of the solver test


@pytest.mark.parametrize("shape", [(260, 241), (1, 70_000), (16_000, 4), (5, 20_000), (61, 2_003)])
def test_threads_do_not_change_a_bit(shape):
    rng = np.random.default_rng(11)
    lightness = np.cumsum(rng.normal(0, 0.5, shape), axis=int(shape[1] > 1)).astype(np.float32)
    ab, weight = rng.uniform(-50, 50, (*shape, 2)).astype(np.float32), np.full(shape, 1e-3, np.float32)
    is_known = rng.random(shape) < 0.001
    results = []
    for threads in (1, 2, 3, 7):
        planes = affinity.gaussian(lightness, threads=threads)
        equations = system.stencil_system(planes, ab, weight, is_known=is_known, known_ab=ab, threads=threads)
        results.append(solvers.solve(equations, "multigrid", threads=threads)[0])
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_library_cg_agrees():
    pytest.importorskip("pyamg")
    problem = _photo_like(31, 44)
    expected, _ = solvers.solve(stencil(*problem), "direct")
    ab, report = solvers.solve(stencil(*problem), "cg")
    assert report.converged
    assert report.method == "cg"
    np.testing.assert_allclose(ab, expected, atol=1e-3)


def test_a_larger_photo_converges_in_few_steps():
    problem = _photo_like(300, 401)
    expected, _ = solvers.solve(stencil(*problem, floor=1e-3), "direct")
    ab, report = solvers.solve(stencil(*problem, floor=1e-3), "multigrid")
    assert report.converged
    assert report.iterations <= 15  # measured: 9
    assert np.abs(ab - expected).max() < 0.5  # the default tolerance aims at 0.5


def test_w_cycles_agree(monkeypatch):
    from colorize.optimization import multigrid

    problem = _photo_like(90, 81)
    expected, _ = solvers.solve(stencil(*problem), "direct")
    monkeypatch.setattr(multigrid, "_W_CYCLE_FROM", 0)
    ab, report = solvers.solve(stencil(*problem), "multigrid", tolerance=1e-3)
    np.testing.assert_allclose(ab, expected, atol=0.02)
    assert report.converged


def test_a_start_near_the_answer_saves_steps():
    problem = _photo_like(120, 130)
    answer, cold = solvers.solve(stencil(*problem), "multigrid", tolerance=0.01)
    again, warm = solvers.solve(stencil(*problem), "multigrid", tolerance=0.01, start_ab=answer)
    np.testing.assert_allclose(again, answer, atol=0.05)
    assert warm.iterations < cold.iterations


def test_callback_sees_every_iteration():
    seen = []
    _, report = solvers.solve(
        stencil(*_photo_like(60, 61)), "multigrid", callback=lambda k, move: seen.append((k, move))
    )
    assert [k for k, _ in seen] == list(range(1, report.iterations + 1))
    assert seen[-1][1] <= solvers.TOLERANCE


# ---------------------------------------------------------------------------------------------- forms


def test_stencil_matrix_is_the_laplacian_form():
    lightness, ab, weight, is_known = _photo_like(7, 9)
    planes = affinity.gaussian(lightness, floor=0.01)
    equations = system.matrix_system(
        affinity.directed_from_planes(planes), ab, weight, form="laplacian", is_known=is_known, known_ab=ab
    )
    stencils = system.stencil_system(planes, ab, weight, is_known=is_known, known_ab=ab).to_matrix()
    np.testing.assert_allclose(stencils.matrix.toarray(), equations.matrix.toarray(), atol=2e-6)  # multiples of 2**-20
    np.testing.assert_allclose(stencils.rhs, equations.rhs, atol=2e-4)


def test_row_normalized_form_has_the_solution_of_the_laplacian_form():
    problem = _photo_like(12, 15)
    expected, _ = solvers.solve(stencil(*problem), "direct")
    result = _solve_form("row_normalized", *problem)
    np.testing.assert_allclose(result, expected, atol=1e-3)


@pytest.mark.parametrize("weights", [affinity.local_variance, affinity.correlation])
def test_directed_weights_sum_to_one_and_match_brute_force(weights):
    lightness = np.random.default_rng(8).uniform(20, 40, (5, 6)).astype(np.float32)
    directed = weights(lightness)
    np.testing.assert_allclose(directed.sum(axis=0), 1, atol=1e-5)
    i, j = 2, 3
    window = lightness[i - 1 : i + 2, j - 1 : j + 2].astype(float)
    variance, mean = window.var(), window.mean()
    others = np.array([lightness[i + row, j + col] for row, col in affinity.OFFSETS], float)
    expected = {
        affinity.local_variance: np.exp(-((others - lightness[i, j]) ** 2) / (2 * variance)),
        affinity.correlation: 1 + (others - mean) * (lightness[i, j] - mean) / variance,
    }[weights]
    np.testing.assert_allclose(directed[:, i, j], expected / expected.sum(), rtol=1e-3)


def test_row_normalized_form_is_the_harmonic_equation():
    lightness, ab, weight, is_known = _photo_like(9, 8)
    weight[:] = 0
    result = _solve_form("row_normalized", lightness, ab, weight, is_known, weights=affinity.local_variance(lightness))
    directed = affinity.local_variance(lightness).astype(float)
    padded = np.pad(result.astype(float), ((1, 1), (1, 1), (0, 0)))
    average = sum(
        values[..., None] * padded[1 + row : 10 + row, 1 + col : 9 + col]
        for values, (row, col) in zip(directed, affinity.OFFSETS, strict=True)
    )
    np.testing.assert_allclose(result[~is_known], average[~is_known], atol=1e-3)


def test_least_squares_form_is_a_minimum():
    problem = _photo_like(8, 7)
    lightness, ab, weight, is_known = problem
    directed = affinity.correlation(lightness)
    result = _solve_form("least_squares", *problem, weights=directed).astype(float)

    def cost(field):
        padded = np.pad(field, ((1, 1), (1, 1), (0, 0)))
        average = sum(
            values[..., None] * padded[1 + row : 9 + row, 1 + col : 8 + col]
            for values, (row, col) in zip(directed.astype(float), affinity.OFFSETS, strict=True)
        )
        return ((field - average) ** 2).sum() + (weight[..., None] * (field - ab) ** 2).sum()

    rng = np.random.default_rng(0)
    for _ in range(20):
        other = result + rng.normal(0, 0.5, result.shape) * ~is_known[..., None]
        assert cost(other) > cost(result)


def test_symmetric_planes_of_directed_weights():
    directed = affinity.local_variance(np.random.default_rng(1).uniform(0, 50, (4, 5)).astype(np.float32))
    planes = affinity.planes_from_directed(directed)
    back = affinity.directed_from_planes(planes)
    assert abs(back[0, 1, 2] - (directed[0, 1, 2] + directed[4, 1, 3]) / 2) < 1e-7
    assert abs(back[3, 1, 2] - (directed[3, 1, 2] + directed[7, 2, 1]) / 2) < 1e-7
    assert abs(back[7, 2, 1] - back[3, 1, 2]) < 1e-7
    assert not planes[:, 0].any()
    floored = affinity.planes_from_directed(directed, floor=0.8) - planes
    np.testing.assert_allclose(affinity.directed_from_planes(floored) > 0, directed > 0)
    np.testing.assert_allclose(floored[floored > 0], 0.1, atol=1e-6)


def test_wrong_methods_are_refused():
    problem = _photo_like(5, 6)
    with pytest.raises(ValueError, match="solver must be one of"):
        solvers.solve(stencil(*problem), "jacobi")
    equations = system.matrix_system(
        affinity.correlation(problem[0]),
        problem[1],
        problem[2],
        form="row_normalized",
        is_known=problem[3],
        known_ab=problem[1],
    )
    with pytest.raises(ValueError, match="needs the laplacian form"):
        solvers.solve(equations, "multigrid")
    with pytest.raises(ValueError, match="needs a symmetric form"):
        solvers.solve(equations, "cg")
    with pytest.raises(ValueError, match="form must be"):
        system.matrix_system(affinity.correlation(problem[0]), problem[1], problem[2], form="other")


def _photo_like(height, width):
    """Smooth shapes with hard edges and grain, sparse wishes and a few known pixels."""
    rng = np.random.default_rng(height * width)
    rows, cols = np.mgrid[:height, :width]
    lightness = 50 + 20 * np.sign(np.sin(rows / 9) * np.sin(cols / 7 + rows / 30)) + rng.normal(0, 0.8, (height, width))
    ab = rng.uniform(-60, 60, (height, width, 2)).astype(np.float32)
    weight = np.where(rng.random((height, width)) < 0.02, 0.1, 0).astype(np.float32)
    is_known = rng.random((height, width)) < 0.01
    is_known[height // 2, width // 2] = True
    return lightness.astype(np.float32), ab, weight, is_known


def _solve_form(form, lightness, ab, weight, is_known, *, weights=None):
    if weights is None:
        weights = affinity.directed_from_planes(affinity.gaussian(lightness, sigma=1.5, floor=0.01))
    equations = system.matrix_system(weights, ab, weight, form=form, is_known=is_known, known_ab=ab)
    return solvers.solve(equations, "direct")[0]
