"""Every numba kernel against a dense twin in float64, on odd and even sizes."""

import numpy as np
import pytest

from colorize.optimization import affinity, kernels, multigrid, reference
from colorize.optimization.workers import available_cores

SHAPES = [(13, 16), (12, 15), (13, 17), (1, 9), (9, 1), (2, 2), (3, 2)]


@pytest.fixture(params=SHAPES, ids=str)
def problem(request):
    """A bordered system with a few known pixels, and a random field."""
    height, width = request.param
    rng = np.random.default_rng(7)
    lightness = rng.uniform(0, 20, (height, width)).astype(np.float32)
    w = affinity.gaussian(lightness, sigma=5, floor=1e-2)
    d, b = np.ones((height + 2, width + 2), np.float32), _field(rng, height, width)
    confidence = np.zeros_like(d)
    confidence[1:-1, 1:-1] = rng.uniform(0, 0.1, (height, width))
    kernels.diagonal(d, w, confidence, 1, height + 1)
    flat = rng.choice(height * width, max(1, height * width // 40), replace=False)
    rows, cols = np.divmod(np.sort(flat), width)
    kernels.eliminate(d, w, b, rows + 1, cols + 1, rng.normal(0, 20, (len(flat), 2)).astype(np.float32))
    return w, d, b, _field(rng, height, width)


def test_gaussian_weights_match_their_formula():
    rng = np.random.default_rng(3)
    lightness = rng.uniform(40, 50, (6, 7)).astype(np.float32)
    planes = affinity.gaussian(lightness, sigma=1.7, floor=0.01)
    directed = reference.directed_from_planes(planes)
    for values, (row, col) in zip(directed, affinity.OFFSETS, strict=True):
        for i in range(6):
            for j in range(7):
                inside = 0 <= i + row < 6 and 0 <= j + col < 7
                step = lightness[i, j] - lightness[i + row, j + col] if inside else 0
                expected = np.exp(-(step**2) / (2 * 1.7**2)) + 0.01 if inside else 0
                assert abs(values[i, j] - expected) < 2e-5  # the series for exp, and multiples of 2**-20


def test_row_sums_are_exact():
    lightness = np.full((5, 5), 37.7, np.float32)
    w = affinity.gaussian(lightness, sigma=1.5, floor=1e-3)
    d = np.ones((7, 7), np.float32)
    kernels.diagonal(d, w, np.zeros_like(d), 1, 6)
    exact = reference.directed_from_planes(w).astype(np.float64).sum(axis=0)
    np.testing.assert_array_equal(d[1:-1, 1:-1], exact)


def test_elimination_gives_identity_rows_and_keeps_the_solution():
    rng = np.random.default_rng(5)
    lightness = rng.uniform(0, 20, (6, 5)).astype(np.float32)
    w, d = affinity.gaussian(lightness, sigma=5, floor=0.01), np.ones((8, 7), np.float32)
    confidence = np.zeros_like(d)
    confidence[1:-1, 1:-1] = 0.05
    kernels.diagonal(d, w, confidence, 1, 7)
    full, b = multigrid.dense(w, d), np.zeros((2, 8, 7), np.float32)
    known = np.array([0, 7, 8, 29])
    values = rng.normal(0, 20, (4, 2)).astype(np.float32)
    free = np.setdiff1d(np.arange(30), known)
    expected = np.linalg.solve(full[np.ix_(free, free)], -full[np.ix_(free, known)] @ values)
    kernels.eliminate(d, w, b, known // 5 + 1, known % 5 + 1, values)
    reduced = multigrid.dense(w, d)
    np.testing.assert_array_equal(reduced[known], np.eye(30)[known])
    np.testing.assert_array_equal(reduced, reduced.T)
    solution = np.linalg.solve(reduced, _flat(b).T)
    np.testing.assert_array_equal(solution[known], values)
    np.testing.assert_allclose(solution[free], expected, atol=1e-4)  # float32 weights times colours of about 20


@pytest.mark.parametrize("lead", [1, 0])
def test_relax_is_two_sweeps_of_gauss_seidel_by_colors(problem, lead):
    w, d, b, x = problem
    height, width = d.shape[0] - 2, d.shape[1] - 2
    matrix, rhs, expected = multigrid.dense(w, d), _flat(b), _flat(x).copy()
    rows, cols = np.divmod(np.arange(height * width), width)
    colors = [(0, 0), (0, 1), (1, 0), (1, 1)]
    for parity in 2 * (colors if lead else colors[::-1]):
        chosen = (rows % 2 == parity[0]) & (cols % 2 == parity[1])
        expected[:, chosen] += ((rhs - expected @ matrix) / matrix.diagonal())[:, chosen]
    _relax(w, d, x, b, lead, 0, 0, 1, height + 1)
    np.testing.assert_allclose(_flat(x), expected, atol=1e-4)  # float32, values of about 20


@pytest.mark.parametrize("lead", [1, 0])
def test_relax_in_two_ranges_is_relax_in_one(lead):
    rng = np.random.default_rng(1)
    w = affinity.gaussian(rng.uniform(0, 20, (24, 9)).astype(np.float32), sigma=5, floor=0.01)
    d, b, x = np.ones((26, 11), np.float32), _field(rng, 24, 9), _field(rng, 24, 9)
    kernels.diagonal(d, w, np.zeros_like(d), 1, 25)
    whole, parts = x.copy(), x.copy()
    _relax(w, d, whole, b, lead, 0, 0, 1, 25)
    _relax(w, d, parts, b, lead, 1, 0, 13, 25)
    _relax(w, d, parts, b, lead, 0, 1, 1, 13)
    _relax(w, d, parts, b, lead, -1, -1, 13, 13)
    np.testing.assert_array_equal(parts, whole)


def test_interpolation_lies_between_its_neighbors(problem):
    p, _ = _interpolation(problem)
    assert p.min() >= 0
    assert (p[kernels.LEFT] + p[kernels.RIGHT]).max() <= 1 + 1e-6
    assert (p[kernels.UP] + p[kernels.DOWN]).max() <= 1 + 1e-6


def test_interpolation_keeps_constants_where_nothing_is_wished():
    w = affinity.gaussian(np.random.default_rng(2).uniform(0, 5, (11, 11)).astype(np.float32), sigma=2, floor=0.01)
    d = np.ones((13, 13), np.float32)
    kernels.diagonal(d, w, np.zeros_like(d), 1, 12)
    _, dense_p = _interpolation((w, d))
    np.testing.assert_allclose(dense_p.sum(axis=1), 1, atol=1e-5)  # float32 shares


def test_first_interpolation_pass_eliminates_the_pixels_above_and_below():
    """One pixel by the formula: its column of three is eliminated, its sides are summed, far ones lent its value."""
    w = affinity.gaussian(np.random.default_rng(4).uniform(0, 20, (7, 7)).astype(np.float32), sigma=6, floor=0.01)
    d = np.ones((9, 9), np.float32)
    kernels.diagonal(d, w, np.zeros_like(d), 1, 8)
    a = multigrid.dense(w, d)

    def number(row, col):
        return 7 * row + col

    middle = [number(row, 3) for row in range(7)]
    side = [number(row, 2) for row in range(7)]
    me, near = middle[2], [middle[1], middle[3]]
    reduced = a[me] - sum(a[me, k] / a[k, k] * a[k] for k in near)
    like = [middle[0], middle[4]]
    expected = -reduced[side].sum() / (reduced[me] + reduced[like].sum())
    p = np.zeros((4, 6, 6), np.float32)
    kernels.interpolation(p, p, w, d, 0, 1, 5)
    assert abs(p[kernels.LEFT, 2, 2] - expected) < 1e-5  # pixel (2, 3), between coarse pixels (1, 1) and (1, 2)


def test_galerkin_product(problem):
    w, d, _, _ = problem
    p, dense_p = _interpolation(problem)
    height, width = p.shape[1] - 2, p.shape[2] - 2
    coarse_w, coarse_d = np.zeros_like(p), np.ones((height + 2, width + 2), np.float32)
    kernels.galerkin(coarse_w, coarse_d, w, d, p, 1, height + 1)
    expected = dense_p.T @ multigrid.dense(w, d) @ dense_p
    np.testing.assert_allclose(multigrid.dense(coarse_w, coarse_d), expected, atol=1e-5)  # entries up to about 8


def test_restriction_after_a_forward_sweep(problem):
    w, d, b, x = problem
    p, dense_p = _interpolation(problem)
    _relax(w, d, x, b, 1, 0, 0, 1, d.shape[0] - 1)
    coarse_b = np.zeros((2, *p.shape[1:]), np.float32)
    kernels.smooth(w, d, x, b, p, coarse_b, 1, 0, 1, 0, 0, 1, d.shape[0] - 1)
    expected = (_flat(b) - _flat(x) @ multigrid.dense(w, d)) @ dense_p
    np.testing.assert_allclose(_flat(coarse_b), expected, atol=2e-4)  # float32 differences of numbers of about 100


def test_sweeps_and_restriction_in_one_walk(problem):
    w, d, b, x = problem
    p, _ = _interpolation(problem)
    last, apart = d.shape[0] - 1, x.copy()
    coarse_b, expected = np.zeros((2, 2, *p.shape[1:]), np.float32)
    kernels.smooth(w, d, x, b, p, coarse_b, 1, kernels.STAGES, 1, 0, 0, 1, last)
    kernels.smooth(w, d, apart, b, p, expected, 1, kernels.STAGES, 0, 0, 0, 1, last)
    kernels.smooth(w, d, apart, b, p, expected, 1, 0, 1, 0, 0, 1, last)
    np.testing.assert_array_equal(x, apart)
    np.testing.assert_array_equal(coarse_b, expected)


def test_correction_before_a_backward_sweep(problem):
    w, d, b, x = problem
    p, dense_p = _interpolation(problem)
    rng = np.random.default_rng(0)
    coarse_x = _field(rng, p.shape[1] - 2, p.shape[2] - 2)
    expected = x.copy()
    expected[:, 1:-1, 1:-1] += (_flat(coarse_x) @ dense_p.T).reshape(2, *(n - 2 for n in d.shape))
    kernels.add_correction(x, coarse_x, p, 1, p.shape[1] - 1)
    for field in (x, expected):
        _relax(w, d, field, b, 0, 0, 0, 1, d.shape[0] - 1)
    np.testing.assert_allclose(x, expected, atol=1e-4)


def test_products_and_updates_of_conjugate_gradients(problem):
    w, d, b, x = problem
    last = d.shape[0] - 1
    sums, moves, q = np.zeros((2, last + 1)), np.zeros((2, last + 1)), np.zeros_like(x)
    kernels.apply(sums, q, w, d, x, 1, last)
    expected = _flat(x) @ multigrid.dense(w, d)
    np.testing.assert_allclose(_flat(q), expected, atol=2e-4)
    np.testing.assert_allclose(sums.sum(axis=1), (expected * _flat(x)).sum(axis=1), rtol=1e-4)
    new_x, new_r, alpha = x.copy(), b.copy(), np.array([0.5, -2.0])
    kernels.step(sums, moves, new_x, new_r, x, q, alpha, 1, last)
    np.testing.assert_allclose(new_x, x + alpha[:, None, None] * x, atol=1e-4)
    np.testing.assert_allclose(_flat(new_r), _flat(b) - alpha[:, None] * expected, atol=1e-3)
    np.testing.assert_allclose(moves.max(axis=1), np.abs(alpha[:, None] * _flat(x)).max(axis=1), rtol=1e-6)
    np.testing.assert_allclose(sums.sum(axis=1), (_flat(new_r).astype(float) ** 2).sum(axis=1), rtol=1e-4)
    kernels.dot(sums, x, b, 1, last)
    np.testing.assert_allclose(sums.sum(axis=1), (_flat(x) * _flat(b)).sum(axis=1), rtol=1e-3, atol=1e-2)
    direction = q.copy()
    kernels.turn(direction, b, alpha, 1, last)
    np.testing.assert_allclose(direction, b + alpha[:, None, None] * q, atol=1e-3)


def test_kernels_keep_the_border(problem):
    w, d, b, x = problem
    p, _ = _interpolation(problem)
    _relax(w, d, x, b, 1, 0, 0, 1, d.shape[0] - 1)
    kernels.add_correction(
        x,
        np.pad(np.ones((2, p.shape[1] - 2, p.shape[2] - 2), np.float32), ((0, 0), (1, 1), (1, 1))),
        p,
        1,
        p.shape[1] - 1,
    )
    for field in (*x, *w):
        assert not field[0].any()
        assert not field[-1].any()
        assert not field[:, 0].any()
        assert not field[:, -1].any()


def _relax(w, d, x, b, lead, top, bottom, first, last):
    unused = np.zeros((4, 2, 2), np.float32)
    kernels.smooth(w, d, x, b, unused, unused, lead, kernels.STAGES, 0, top, bottom, first, last)


def _field(rng, height, width):
    field = np.zeros((2, height + 2, width + 2), np.float32)
    field[:, 1:-1, 1:-1] = rng.normal(0, 20, (2, height, width))
    return field


def _flat(field):
    return field[:, 1:-1, 1:-1].reshape(2, -1)


def _interpolation(problem):
    """The stored weights, and P as a dense matrix with the pixels amid four coarse ones from their own equations."""
    w, d = problem[:2]
    height, width = d.shape[0] - 2, d.shape[1] - 2
    rows, cols = (height + 1) // 2, (width + 1) // 2
    p, previous = np.zeros((2, 4, rows + 2, cols + 2), np.float32)
    for has_previous in (0, 1, 1):
        p, previous = previous, p
        kernels.interpolation(p, previous, w, d, has_previous, 1, rows + 1)
    dense_p = np.zeros((height, width, rows, cols))
    for k in range(rows):
        for m in range(cols):
            dense_p[2 * k, 2 * m, k, m] = 1
            if 2 * m + 1 < width:
                dense_p[2 * k, 2 * m + 1, k, m] = p[kernels.LEFT, k + 1, m + 1]
                dense_p[2 * k, 2 * m + 1, k, min(m + 1, cols - 1)] += p[kernels.RIGHT, k + 1, m + 1]
            if 2 * k + 1 < height:
                dense_p[2 * k + 1, 2 * m, k, m] = p[kernels.UP, k + 1, m + 1]
                dense_p[2 * k + 1, 2 * m, min(k + 1, rows - 1), m] += p[kernels.DOWN, k + 1, m + 1]
    dense_p = dense_p.reshape(height * width, rows * cols)
    matrix = multigrid.dense(w, d)
    amid = [i * width + j for i in range(1, height, 2) for j in range(1, width, 2)]
    for row in amid:
        others = matrix[row].copy()
        others[row] = 0
        dense_p[row] = -(others @ dense_p) / matrix[row, row]
    return p, dense_p


@pytest.mark.parametrize(("said", "allowed"), [("1", 1), ("", None), ("many", None), ("0", None), ("100000", None)])
def test_no_more_cores_than_omp_num_threads(monkeypatch, said, allowed):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    everything = available_cores()
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert available_cores() == (allowed or everything)
