"""The equations as the literature writes them, as SciPy matrices: for study, tests and small photographs.

Three readings of the problem, for affinities W, their row sums D, wishes h with confidence C (a
diagonal matrix), known pixels exact:

``laplacian``
    ``(D - W + C) U = C h``: symmetric, positive definite; minimises
    ``sum_{r~s} w_rs |U_r - U_s|^2 + sum_r c_r |U_r - h_r|^2``. What `colorize.optimization.propagate` solves.
``row_normalized``
    ``(I - D^-1 W + D^-1 C) U = D^-1 C h``: what the released code of the paper solves (there without C). Not symmetric.
    With symmetric weights it has the same solution as ``laplacian``, divided by D row by row.
``least_squares``
    minimises ``sum_r (U_r - sum_s w_rs U_s / d_r)^2 + sum_r c_r / d_r |U_r - h_r|^2``: the cost as the paper prints it
    (eq. 1). Symmetric but squared: worse conditioned, and colours may overshoot the range of the hints.

Source: A. Levin, D. Lischinski, Y. Weiss, "Colorization using optimization", SIGGRAPH 2004.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla
from scipy import ndimage

from colorize.exceptions import ConvergenceWarning
from colorize.optimization import affinity as weights_of
from colorize.optimization.affinity import OFFSETS
from colorize.optimization.constraints import Constraints, checked_lightness
from colorize.optimization.propagate import Propagation, unconverged
from colorize.optimization.system import StencilSystem
from colorize.types import Bool, Float32, Float64, SolveReport

AFFINITIES = ("gaussian", "local_variance", "correlation")
FORMS = ("laplacian", "row_normalized", "least_squares")
MOST_PIXELS = 1_000_000
"""Of a photograph: its factors take about 2.5 GB then."""

_SOUND = 1e-6  # largest residual of a factorisation that went well
# Of L*, 0..100: flat paper still has grain of about this size, and a window of one value has no variance at all.
_SMALLEST_VARIANCE = 0.02


def propagate_reference(
    lightness: Float32,
    target_ab: Float32,
    weight: Float32,
    *,
    is_known: Bool | None = None,
    known_ab: Float32 | None = None,
    affinity: str = "gaussian",
    sigma: float = weights_of.SIGMA,
    floor: float = weights_of.FLOOR,
    form: str = "laplacian",
) -> Propagation:
    """Spread colours by any reading of Levin's problem, solved exactly: what `propagate` is measured against.

    Parameters
    ----------
    lightness : ndarray, shape (H, W), float32
        CIE L*, 0..100.
    target_ab, weight, is_known, known_ab
        As in `colorize.optimization.propagate`.
    affinity : {"gaussian", "local_variance", "correlation"}
        One sigma for the photograph, or one of the paper's two (eq. 2 and 3), over a window of 3 x 3 pixels.
    sigma, floor : float
        Of the gaussian weights, see `colorize.optimization.affinity.gaussian`.
    form : {"laplacian", "row_normalized", "least_squares"}
        See the module's description.

    Returns
    -------
    Propagation
        Clipped to the range of the constraints where the maximum principle holds: not with
        correlation weights, some of which are negative, and not in the form least_squares.

    Raises
    ------
    ValueError
        Arrays of wrong shape or with NaN, an illegal option, neither a wish nor a certainty
        anywhere, or a photograph over `MOST_PIXELS`.

    Warns
    -----
    ConvergenceWarning
        The solver did not get to the solution; ``report.converged`` is False.

    See Also
    --------
    colorize.optimization.propagate : Its twin for photographs of any size.
    matrix_system, solve : The two halves of this function.

    Examples
    --------
    Between two strokes a membrane and a plate differ:

    >>> import numpy as np
    >>> flat, wish, weight = np.full((5, 9), 50, np.float32), np.zeros((5, 9, 2)), np.zeros((5, 9))
    >>> known, colors = np.zeros((5, 9), bool), np.zeros((5, 9, 2))
    >>> known[:, [0, 4]], colors[:, 4] = True, 20
    >>> given = {"is_known": known, "known_ab": colors}
    >>> propagate_reference(flat, wish, weight, **given).ab[2, [2, 8], 0].round().tolist()
    [10.0, 20.0]
    >>> plate = propagate_reference(flat, wish, weight, **given, form="least_squares").ab
    >>> bool(plate[2, 8, 0] > 25)
    True
    """
    lightness = checked_lightness(lightness)
    weights_of.check(sigma, floor)
    _check_choice("affinity", affinity, AFFINITIES)
    # Refused, not shrunk as `propagate` does it: a reference that was solved on another grid is none.
    if lightness.size > MOST_PIXELS:
        raise ValueError(f"lightness has {lightness.size} pixels, the reference takes {MOST_PIXELS}; use propagate")
    constraints = Constraints.checked(lightness.shape, target_ab, weight, is_known, known_ab)
    if affinity == "gaussian":
        directed = directed_from_planes(weights_of.gaussian(lightness, sigma=sigma, floor=floor))
    else:
        directed = local_variance(lightness) if affinity == "local_variance" else correlation(lightness)
    equations = matrix_system(
        directed,
        constraints.target_ab,
        constraints.weight,
        form=form,
        is_known=constraints.is_known,
        known_ab=constraints.known_ab,
    )
    ab, report = solve(equations)
    if affinity != "correlation" and form != "least_squares":
        for channel, (low, high) in enumerate(constraints.limits()):
            np.clip(ab[..., channel], low, high, out=ab[..., channel])
    if constraints.is_known is not None and constraints.known_ab is not None:
        ab[constraints.is_known] = constraints.known_ab[constraints.is_known]
    if not report.converged:
        warnings.warn(unconverged(report), ConvergenceWarning, stacklevel=2)
    return Propagation(ab, report)


# ---------------------------------------------------------------------- the affinities of the paper


def local_variance(lightness: Float32) -> Float32:
    """Weights of the paper's eq. 2: sigma is the spread of the lightness in the 3 x 3 pixels around each.

    ``w_rs = exp(-(L_r - L_s)^2 / (2 sigma_r^2))``, then scaled so that the weights of every pixel sum to 1.

    Parameters
    ----------
    lightness : ndarray, shape (H, W), float32
        CIE L*, 0..100.

    Returns
    -------
    ndarray, shape (8, H, W), float32
        Directed weights: ``w_rs`` need not equal ``w_sr``. In the order of `colorize.optimization.affinity.OFFSETS`,
        zero where the neighbour lies outside the photograph.

    See Also
    --------
    colorize.optimization.affinity.gaussian : One sigma for the whole photograph.
    planes_from_directed : Makes them symmetric, for the fast solver.

    Examples
    --------
    >>> import numpy as np
    >>> weights = local_variance(np.zeros((3, 3), np.float32))
    >>> weights[:, 1, 1].tolist()
    [0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125]
    """
    _, variance = _local_moments(lightness)
    weights = _neighbour_steps(lightness)
    np.square(weights, out=weights)
    weights /= -2 * variance
    np.exp(weights, out=weights)
    return _normalized(weights)


def correlation(lightness: Float32) -> Float32:
    """Weights of the paper's eq. 3: lightness and colour are affine in every 3 x 3 pixels.

    ``w_rs = 1 + (L_r - mu_r) (L_s - mu_r) / sigma_r^2``, then scaled so that the weights of every pixel sum to 1.
    Weights can be negative: colours may leave the range of the hints, and only direct solvers are safe.

    Parameters
    ----------
    lightness : ndarray, shape (H, W), float32
        CIE L*, 0..100.

    Returns
    -------
    ndarray, shape (8, H, W), float32
        Directed weights, as those of `local_variance`.

    Notes
    -----
    If ``U = a L + b`` in a window for any a and b, then U_r is the mean of the U_s under these weights: they come from
    eliminating a and b (appendix of the paper; Torralba and Freeman 2003, Zomet and Peleg 2002).
    """
    mean, variance = _local_moments(lightness)
    weights = _neighbour_steps(lightness)
    weights += lightness - mean
    weights *= (lightness - mean) / variance
    weights += 1
    return _normalized(weights)


def directed_from_planes(planes: Float32) -> Float32:
    """The eight directed weights of symmetric planes.

    See Also
    --------
    planes_from_directed : The way back.

    Examples
    --------
    >>> import numpy as np
    >>> planes = weights_of.gaussian(np.zeros((1, 2), np.float32), floor=0.0)
    >>> directed = directed_from_planes(planes)
    >>> directed[0].tolist(), directed[4].tolist()
    ([[1.0, 0.0]], [[0.0, 1.0]])
    """
    height, width = planes.shape[1] - 2, planes.shape[2] - 2
    directed = np.empty((8, height, width), np.float32)
    for k, (row, col) in enumerate(OFFSETS):
        # A weight is kept at the earlier of its two pixels: for a step backwards that is the neighbour.
        top, left = (1, 1) if k < 4 else (1 + row, 1 + col)
        directed[k] = planes[k % 4, top : top + height, left : left + width]
    return directed


def planes_from_directed(directed: Float32, *, floor: float = 0.0) -> Float32:
    """Symmetric planes ``(w_rs + w_sr + floor / 4) / 2``, which the fast solver takes at any size.

    The floor is relative to flat ground, where directed weights are 1/8. Weights must not be negative.

    See Also
    --------
    directed_from_planes : The way back.
    colorize.optimization.system.stencil_system : What takes them.

    Examples
    --------
    The paper's weights in the symmetric form, by multigrid:

    >>> import numpy as np
    >>> from colorize.optimization import multigrid
    >>> from colorize.optimization.system import stencil_system
    >>> lightness = np.tile(np.linspace(20, 80, 24, dtype=np.float32), (16, 1))
    >>> planes = planes_from_directed(local_variance(lightness), floor=1e-3)
    >>> wish = np.full((16, 24, 2), 30, np.float32)
    >>> equations = stencil_system(planes, wish, np.full((16, 24), 0.1))
    >>> ab, report = multigrid.solve(equations, maxiter=60, tolerance=0.3)
    >>> report.converged, ab[8, 12].round().tolist()
    (True, [30.0, 30.0])
    """
    _, height, width = directed.shape
    planes = np.zeros((4, height + 2, width + 2), np.float32)
    back = np.zeros((height + 2, width + 2), np.float32)
    for k, (row, col) in enumerate(OFFSETS[:4]):
        back[1:-1, 1:-1] = directed[k + 4]
        reverse = back[1 + row : 1 + row + height, 1 + col : 1 + col + width]
        planes[k, 1:-1, 1:-1] = (directed[k] + reverse) / 2
        # The floor only where there is a neighbour: beyond the border a weight would tie pixels to nothing.
        planes[k, 1 : 1 + height - row, 1 + max(0, -col) : 1 + width - max(0, col)] += np.float32(floor / 8)
    return planes


def _local_moments(lightness: Float32) -> tuple[Float32, Float32]:
    # Windows at the border have fewer pixels: sums over a border of zeros, divided by what was inside.
    inside = ndimage.uniform_filter(np.ones(lightness.shape), 3, mode="constant")
    mean = ndimage.uniform_filter(lightness.astype(np.float64), 3, mode="constant") / inside
    # In float64, because a variance of 0.02 is the difference of two numbers of up to 10,000.
    squares = np.square(lightness, dtype=np.float64)
    square = ndimage.uniform_filter(squares, 3, mode="constant") / inside
    variance = np.maximum(square - mean**2, _SMALLEST_VARIANCE)
    return mean.astype(np.float32), variance.astype(np.float32)


def _neighbour_steps(lightness: Float32) -> Float32:
    """``L_s - L_r`` for the eight neighbours; NaN outside."""
    height, width = lightness.shape
    padded = np.pad(lightness, 1, constant_values=np.nan)
    shifted = [padded[1 + row : 1 + row + height, 1 + col : 1 + col + width] for row, col in OFFSETS]
    return np.stack(shifted) - lightness


def _normalized(weights: Float32) -> Float32:
    np.nan_to_num(weights, copy=False, nan=0.0)
    total = weights.sum(axis=0)
    # A correlation sum of 0 is possible though rare; such a pixel takes no part rather than an infinite one.
    weights /= np.where(np.abs(total) > 1e-6, total, np.inf)
    return weights


# ------------------------------------------------------------------------------------------ systems


@dataclass(eq=False)
class MatrixSystem:
    """A system as a SciPy sparse matrix.

    Attributes
    ----------
    matrix : scipy.sparse.csc_array, shape (H * W, H * W), float64
    rhs : ndarray, shape (H * W, 2), float64
    shape : tuple of int
        Height and width of the photograph.
    symmetric : bool
        Symmetric and positive definite.

    See Also
    --------
    matrix_system, as_matrix : Make one.
    solve : The stage after.
    """

    matrix: sp.csc_array
    rhs: Float64
    shape: tuple[int, int]
    symmetric: bool


def as_matrix(system: StencilSystem) -> MatrixSystem:
    """A system in planes, from `colorize.optimization.system.stencil_system`, as a SciPy matrix."""
    diagonal = sp.diags_array(system.d[1:-1, 1:-1].ravel().astype(np.float64))
    matrix = diagonal - _directed_matrix(directed_from_planes(system.w).astype(np.float64))
    rhs = system.b[:, 1:-1, 1:-1].reshape(2, -1).T.astype(np.float64)
    return MatrixSystem(sp.csc_array(matrix), rhs, system.shape, symmetric=True)


def matrix_system(
    directed: Float32,
    target_ab: Float32,
    weight: Float32,
    *,
    form: str,
    is_known: Bool | None = None,
    known_ab: Float32 | None = None,
) -> MatrixSystem:
    """Any form as a SciPy matrix.

    Parameters
    ----------
    directed : ndarray, shape (8, H, W), float32
        Directed weights; the Laplacian form takes ``(w_rs + w_sr) / 2``.
    target_ab, weight, is_known, known_ab
        As in `colorize.optimization.system.stencil_system`.
    form : {"laplacian", "row_normalized", "least_squares"}
        See the module's description.

    Raises
    ------
    ValueError
        There is no such form.

    See Also
    --------
    colorize.optimization.system.stencil_system : Its twin in planes.
    solve : The stage after.
    """
    _check_choice("form", form, FORMS)
    n = weight.size
    affinity = _directed_matrix(directed.astype(np.float64))
    c, h = weight.ravel().astype(np.float64), target_ab.reshape(n, 2).astype(np.float64)
    known = np.zeros(n, bool) if is_known is None else np.asarray(is_known).ravel()
    values = np.zeros((n, 2)) if known_ab is None else known_ab.reshape(n, 2).astype(np.float64)
    if form == "laplacian":
        affinity = (affinity + affinity.T) / 2
        matrix = sp.diags_array(np.asarray(affinity.sum(axis=1)).ravel() + c) - affinity
    else:
        total = np.asarray(affinity.sum(axis=1)).ravel()
        inverse = sp.diags_array(np.divide(1, total, out=np.zeros(n), where=total != 0))
        difference = sp.eye_array(n) - inverse @ affinity
        # Confidences are relative to the weights, so they are divided with them; a negative sum must
        # not turn a wish into its opposite.
        c = np.abs(inverse.diagonal()) * c
        matrix = (difference.T @ difference if form == "least_squares" else difference) + sp.diags_array(c)
    # As `system.stencil_system` draws it, with masks instead of blocks, so that pixels keep their numbers: the matrix
    # times v at the known pixels and 0 elsewhere is A_uk v in the other rows, and free A free keeps A_uu.
    free, fixed = (sp.diags_array(mask.astype(np.float64)) for mask in (~known, known))
    matrix, rhs = free @ matrix, c[:, None] * h
    # Nothing is gained by clearing the columns of known pixels in a matrix that is not symmetric anyway. Their rows
    # alone become those of the identity then, which is what the released code does.
    if form != "row_normalized":
        rhs = rhs - matrix @ (fixed @ values)
        matrix = matrix @ free
    rhs = np.where(known[:, None], values, rhs)
    return MatrixSystem(sp.csc_array(matrix + fixed), rhs, weight.shape, symmetric=form != "row_normalized")


def _directed_matrix(directed: Float64) -> sp.csr_array:
    _, height, width = directed.shape
    index = np.arange(height * width).reshape(height, width)
    matrix = sp.csr_array((index.size, index.size))
    for values, (row, col) in zip(directed, OFFSETS, strict=True):
        # The pixels that have a neighbour there, and these neighbours.
        here = index[max(0, -row) : height - max(0, row), max(0, -col) : width - max(0, col)].ravel()
        there = index[max(0, row) : height + min(0, row), max(0, col) : width + min(0, col)].ravel()
        matrix = matrix + sp.csr_array((values.ravel()[here], (here, there)), shape=matrix.shape)
    return matrix


def solve(system: MatrixSystem) -> tuple[Float32, SolveReport]:
    """Solve a system directly, in float64, by SuperLU.

    Returns
    -------
    ab : ndarray, shape (H, W, 2), float32
    report : SolveReport

    See Also
    --------
    matrix_system : The stage before.
    colorize.optimization.multigrid.solve : Its twin: multigrid, in float32.
    """
    start = time.perf_counter()
    order: dict[str, Any] = {"permc_spec": "COLAMD"}
    if system.symmetric:
        # Positive definite: the diagonal is always a good pivot, and looking for others would ruin the ordering, which
        # on a grid decides between O(n log n) and many more entries in the factors.
        order = {"permc_spec": "MMD_AT_PLUS_A", "diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}
    factors = spla.splu(system.matrix, **order)
    x = factors.solve(system.rhs)
    norms = np.linalg.norm(system.rhs, axis=0)
    residuals = np.linalg.norm(system.rhs - system.matrix @ x, axis=0)
    residual = float(np.divide(residuals, norms, out=np.zeros(2), where=norms > 0).max())
    ab = x.reshape(*system.shape, 2).astype(np.float32)
    # An entry of the matrix or of a factor is a float64 and an int32.
    size = 12 * (system.matrix.nnz + factors.L.nnz + factors.U.nnz) + system.rhs.nbytes
    seconds = time.perf_counter() - start
    return ab, SolveReport("direct", 0, residual, residual < _SOUND, seconds, size, system.shape)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
