"""One door to three solvers, each with a report and its cost.

============  =================================  ====================================  =======================
method        what                               time                                  memory
============  =================================  ====================================  =======================
multigrid     own geometric multigrid + CG       linear in pixels, 0.4 CPU-s at 1 MP   70 bytes per pixel
cg            pyamg smoothed aggregation + CG    linear, 15 times as long              300 bytes per pixel
direct        SuperLU, symmetric min. degree     40 times as long at 1 MP, and rising  1900 bytes per pixel
============  =================================  ====================================  =======================

The figures are for 300 exact hints and the default weights; `benchmarks/speed.py` measures them.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import scipy.sparse.linalg as spla
from numpy.typing import NDArray

from colorize._optional import import_or_raise
from colorize.optimization.system import MatrixSystem, StencilSystem
from colorize.types import SolveReport

Float32 = NDArray[np.float32]
Callback = Callable[[int, float], None]

METHODS = ("multigrid", "direct", "cg")
TOLERANCE = 0.3
MAXITER = 60


def solve(
    system: StencilSystem | MatrixSystem,
    method: str = "multigrid",
    *,
    maxiter: int | None = None,
    tolerance: float = TOLERANCE,
    start_ab: Float32 | None = None,
    threads: int = 1,
    callback: Callback | None = None,
) -> tuple[Float32, SolveReport]:
    """Solve ``A x = b`` for both channels.

    Parameters
    ----------
    system : StencilSystem or MatrixSystem
        `multigrid` takes a StencilSystem with weights of at least 0 and works in its arrays; `cg` takes any symmetric
        system, `direct` takes all.
    method : str
        ``multigrid``, ``direct`` or ``cg``.
    maxiter : int, optional
        Most iterations of the outer loop.
    tolerance : float
        Multigrid stops when no pixel moved by more than this many units of a* or b* in one step. (A residual says
        little: its size depends on the photograph.)
    start_ab : ndarray, shape (H, W, 2), float32, optional
        First guess, used by multigrid.
    threads : int
        Threads of multigrid; the result is the same for any number.
    callback : callable, optional
        Called as ``callback(iteration, largest_move)`` after every iteration of multigrid.

    Returns
    -------
    ab : ndarray, shape (H, W, 2), float32
    report : SolveReport

    Raises
    ------
    ValueError
        Unknown method, or one that cannot solve this system.
    MissingDependencyError
        ``cg`` without pyamg.
    """
    if method not in METHODS:
        raise ValueError(f"solver must be one of {', '.join(METHODS)}, got {method!r}")
    start = time.perf_counter()
    if method == "multigrid":
        if not isinstance(system, StencilSystem):
            raise ValueError("solver 'multigrid' needs the laplacian form with gaussian or local_variance weights")
        ab, result = _multigrid(system, maxiter or MAXITER, tolerance, start_ab, threads, callback)
    else:
        matrix = system.to_matrix() if isinstance(system, StencilSystem) else system
        ab, result = _direct(matrix) if method == "direct" else _cg(matrix, maxiter or MAXITER)
    iterations, residual, converged, size = result
    seconds = time.perf_counter() - start
    return ab, SolveReport(method, iterations, residual, converged, seconds, size, system.shape)


def _multigrid(
    system: StencilSystem,
    maxiter: int,
    tolerance: float,
    start_ab: Float32 | None,
    threads: int,
    callback: Callback | None,
) -> tuple[Float32, tuple[int, float, bool, int]]:
    from colorize.optimization import multigrid

    hierarchy = multigrid.Hierarchy(system.w, system.d, b=system.b, threads=threads)
    x = np.zeros_like(system.b)
    if start_ab is not None:
        x[:, 1:-1, 1:-1] = np.moveaxis(start_ab, -1, 0)
    outcome = multigrid.solve(hierarchy, x, tolerance=tolerance, maxiter=maxiter, callback=callback)
    del hierarchy  # the largest thing there is: not beside one more field
    ab = np.ascontiguousarray(np.moveaxis(x[:, 1:-1, 1:-1], 0, -1))
    return ab, (outcome.iterations, outcome.relative_residual, outcome.converged, outcome.nbytes + ab.nbytes)


def _direct(system: MatrixSystem) -> tuple[Float32, tuple[int, float, bool, int]]:
    if (
        system.symmetric
    ):  # and positive definite: the diagonal is always a good pivot, and others would ruin the ordering
        order = {"permc_spec": "MMD_AT_PLUS_A", "diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}
    else:
        order = {"permc_spec": "COLAMD"}
    factors = spla.splu(system.matrix, **order)
    x = factors.solve(system.rhs)
    size = system.nbytes + 12 * (factors.L.nnz + factors.U.nnz)
    residual = _relative_residual(system, x)
    return _as_field(x, system), (0, residual, residual < 1e-6, size)


def _cg(system: MatrixSystem, maxiter: int) -> tuple[Float32, tuple[int, float, bool, int]]:
    if not system.symmetric:
        raise ValueError("solver 'cg' needs a symmetric form (laplacian or least_squares); use solver='direct'")
    pyamg = import_or_raise("pyamg", extra="dev")
    matrix = system.matrix.tocsr()
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    levels = pyamg.smoothed_aggregation_solver(matrix)
    x = np.empty_like(system.rhs)
    iterations = 0
    for channel in range(2):
        history: list[float] = []
        x[:, channel] = levels.solve(system.rhs[:, channel], tol=1e-8, maxiter=maxiter, accel="cg", residuals=history)
        iterations = max(iterations, len(history) - 1)
    size = system.nbytes + sum(level.A.data.nbytes + level.A.indices.nbytes for level in levels.levels)
    residual = _relative_residual(system, x)
    return _as_field(x, system), (iterations, residual, residual < 1e-5, size)


def _relative_residual(system: MatrixSystem, x: NDArray[np.float64]) -> float:
    norms = np.linalg.norm(system.rhs, axis=0)
    residuals = np.linalg.norm(system.rhs - system.matrix @ x, axis=0)
    return float(np.divide(residuals, norms, out=np.zeros(2), where=norms > 0).max())


def _as_field(x: NDArray[np.float64], system: MatrixSystem) -> Float32:
    return x.reshape(*system.shape, 2).astype(np.float32)
