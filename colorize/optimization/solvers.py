"""From equations to colours: the solver of every photograph, its report and its cost.

Multigrid and conjugate gradients take 0.4 CPU-seconds and 70 bytes per pixel at a megapixel (300 exact hints, default
weights), and both grow linearly. A direct solver takes 40 times as long, and rising, and 1900 bytes per pixel: that is
`colorize.optimization.reference.solve`, against which this one is tested. `benchmarks/speed.py` measures them.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from colorize.optimization.system import StencilSystem
from colorize.types import Float32, SolveReport

# The error that is left is about that of the last step. 0.3 in a* and in b* keep the largest below
# about 0.5, a fifth of the difference that can just be seen, 2.3 units of ab (Mahy et al. 1994).
TOLERANCE = 0.3

# Photographs with a few hints take about 12 at the default floor, 30 at a tenth of it, 70 at the lowest.
MAXITER = 60


def solve(
    system: StencilSystem,
    *,
    maxiter: int = MAXITER,
    tolerance: float = TOLERANCE,
    x: Float32 | None = None,
    threads: int = 1,
) -> tuple[Float32, SolveReport]:
    """Solve ``A x = b`` for both channels by multigrid.

    Parameters
    ----------
    system : StencilSystem
        With weights of at least 0. The solver works in its arrays: `system` is spent afterwards.
    maxiter : int
        Most iterations.
    tolerance : float
        Stop when no pixel moved by more than this many units of a* or b* in one step.
    x : ndarray, shape (2, H + 2, W + 2), float32, optional
        First guess, from `colorize.optimization.system.in_planes`; becomes the solution.
    threads : int
        Threads that share the rows; the result is the same for any number.

    Returns
    -------
    ab : ndarray, shape (H, W, 2), float32
    report : SolveReport

    See Also
    --------
    colorize.optimization.system.stencil_system : Makes the system.
    colorize.optimization.multigrid.solve : The iteration.
    colorize.optimization.reference.solve : Its twin: direct, in float64.

    Notes
    -----
    The test is on the step and not on the residual, because a residual says little: it weighs a pixel by its diagonal,
    so its size depends on how even the photograph is. A step is in the unit of the answer.
    """
    # Importing the kernels loads numba: a second that whoever only makes a system should not wait for.
    from colorize.optimization import multigrid

    start = time.perf_counter()
    hierarchy = multigrid.Hierarchy(system.w, system.d, b=system.b, threads=threads)
    if x is None:
        x = np.zeros_like(system.b)
    report = multigrid.solve(hierarchy, x, tolerance=tolerance, maxiter=maxiter)
    del hierarchy  # the largest thing there is: not beside one more field
    ab = np.ascontiguousarray(np.moveaxis(x[:, 1:-1, 1:-1], 0, -1))
    return ab, replace(report, seconds=time.perf_counter() - start, bytes=report.bytes + ab.nbytes)


def unconverged(report: SolveReport) -> str:
    """What to tell a user whose solver gave up."""
    return f"propagation stopped after {report.iterations} iterations before it converged; raise maxiter or floor"
