"""All forms are what they say, and the direct solver agrees with multigrid."""

import numpy as np
import pytest

from colorize.exceptions import ConvergenceWarning
from colorize.optimization import affinity, multigrid, propagate, reference, system
from colorize.optimization.reference import AFFINITIES, FORMS, propagate_reference


def test_stencil_matrix_is_the_laplacian_form(photo_like):
    lightness, ab, weight, is_known = photo_like(7, 9)
    planes = affinity.gaussian(lightness, floor=0.01)
    equations = reference.matrix_system(
        reference.directed_from_planes(planes), ab, weight, form="laplacian", is_known=is_known, known_ab=ab
    )
    stencils = reference.as_matrix(system.stencil_system(planes, ab, weight, is_known=is_known, known_ab=ab))
    np.testing.assert_allclose(stencils.matrix.toarray(), equations.matrix.toarray(), atol=2e-6)  # multiples of 2**-20
    np.testing.assert_allclose(stencils.rhs, equations.rhs, atol=2e-4)


def test_row_normalized_form_has_the_solution_of_the_laplacian_form(photo_like):
    problem = photo_like(12, 15)
    expected, _ = reference.solve(reference.as_matrix(_stencil(*problem)))
    result = _solve_form("row_normalized", *problem)
    np.testing.assert_allclose(result, expected, atol=1e-3)


@pytest.mark.parametrize("weights", [reference.local_variance, reference.correlation])
def test_directed_weights_sum_to_one_and_match_brute_force(weights):
    lightness = np.random.default_rng(8).uniform(20, 40, (5, 6)).astype(np.float32)
    directed = weights(lightness)
    np.testing.assert_allclose(directed.sum(axis=0), 1, atol=1e-5)
    i, j = 2, 3
    window = lightness[i - 1 : i + 2, j - 1 : j + 2].astype(float)
    variance, mean = window.var(), window.mean()
    others = np.array([lightness[i + row, j + col] for row, col in affinity.OFFSETS], float)
    expected = {
        reference.local_variance: np.exp(-((others - lightness[i, j]) ** 2) / (2 * variance)),
        reference.correlation: 1 + (others - mean) * (lightness[i, j] - mean) / variance,
    }[weights]
    np.testing.assert_allclose(directed[:, i, j], expected / expected.sum(), rtol=1e-3)


def test_row_normalized_form_is_the_harmonic_equation(photo_like):
    lightness, ab, weight, is_known = photo_like(9, 8)
    weight[:] = 0
    result = _solve_form("row_normalized", lightness, ab, weight, is_known, weights=reference.local_variance(lightness))
    directed = reference.local_variance(lightness).astype(float)
    padded = np.pad(result.astype(float), ((1, 1), (1, 1), (0, 0)))
    average = sum(
        values[..., None] * padded[1 + row : 10 + row, 1 + col : 9 + col]
        for values, (row, col) in zip(directed, affinity.OFFSETS, strict=True)
    )
    np.testing.assert_allclose(result[~is_known], average[~is_known], atol=1e-3)


def test_least_squares_form_is_a_minimum(photo_like):
    problem = photo_like(8, 7)
    lightness, ab, weight, is_known = problem
    directed = reference.correlation(lightness)
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
    directed = reference.local_variance(np.random.default_rng(1).uniform(0, 50, (4, 5)).astype(np.float32))
    planes = reference.planes_from_directed(directed)
    back = reference.directed_from_planes(planes)
    assert abs(back[0, 1, 2] - (directed[0, 1, 2] + directed[4, 1, 3]) / 2) < 1e-7
    assert abs(back[3, 1, 2] - (directed[3, 1, 2] + directed[7, 2, 1]) / 2) < 1e-7
    assert abs(back[7, 2, 1] - back[3, 1, 2]) < 1e-7
    assert not planes[:, 0].any()
    floored = reference.planes_from_directed(directed, floor=0.8) - planes
    np.testing.assert_allclose(reference.directed_from_planes(floored) > 0, directed > 0)
    np.testing.assert_allclose(floored[floored > 0], 0.1, atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", AFFINITIES)
def test_every_form_with_every_affinity(scene, hints, form, kind):
    result = propagate_reference(*scene, is_known=hints[0], known_ab=hints[1], affinity=kind, form=form)
    np.testing.assert_array_equal(result.ab[hints[0]], hints[1][hints[0]])
    assert np.isfinite(result.ab).all()
    assert result.report.converged
    assert result.report.method == "direct"


def test_gaussian_weights_give_the_same_colors_by_multigrid(scene, hints):
    fast = propagate(*scene, is_known=hints[0], known_ab=hints[1], tolerance=0.01)
    exact = propagate_reference(*scene, is_known=hints[0], known_ab=hints[1])
    np.testing.assert_allclose(fast.ab, exact.ab, atol=0.1)


def test_symmetric_planes_of_the_papers_weights_give_about_its_colors(scene, hints):
    """Multigrid takes them with a floor, the direct solver without one."""
    planes = reference.planes_from_directed(reference.local_variance(scene[0]), floor=1e-3)
    equations = system.stencil_system(planes, *scene[1:], is_known=hints[0], known_ab=hints[1])
    fast, _ = multigrid.solve(equations, maxiter=60, tolerance=0.01)
    exact = propagate_reference(*scene, is_known=hints[0], known_ab=hints[1], affinity="local_variance")
    assert np.median(np.abs(fast - exact.ab)) < 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"affinity": "cosine"}, "affinity must be one of"),
        ({"form": "cubic"}, "form must be one of"),
        ({"sigma": 0}, "sigma must be"),
        ({"is_known": None}, "belong together"),
    ],
)
def test_bad_options_are_named(scene, hints, change, message):
    options = {"is_known": hints[0], "known_ab": hints[1], **change}
    with pytest.raises(ValueError, match=message):
        propagate_reference(*scene, **options)


def test_a_photograph_that_would_not_fit_is_refused(scene, hints, monkeypatch):
    monkeypatch.setattr(reference, "MOST_PIXELS", 37 * 50 - 1)
    with pytest.raises(ValueError, match=r"1850 pixels, the reference takes 1849; use propagate"):
        propagate_reference(*scene, is_known=hints[0], known_ab=hints[1])


def test_a_solution_that_is_none_is_said(scene, hints, monkeypatch):
    monkeypatch.setattr(reference, "_SOUND", 0.0)
    with pytest.warns(ConvergenceWarning, match="before it converged"):
        propagate_reference(*scene, is_known=hints[0], known_ab=hints[1])


def _stencil(lightness, ab, weight, is_known, *, floor=0.01):
    planes = affinity.gaussian(lightness, sigma=1.5, floor=floor)
    return system.stencil_system(planes, ab, weight, is_known=is_known, known_ab=ab)


def _solve_form(form, lightness, ab, weight, is_known, *, weights=None):
    if weights is None:
        weights = reference.directed_from_planes(affinity.gaussian(lightness, sigma=1.5, floor=0.01))
    equations = reference.matrix_system(weights, ab, weight, form=form, is_known=is_known, known_ab=ab)
    return reference.solve(equations)[0]
