"""Geometric multigrid with operator-dependent interpolation for 3x3 stencils, and conjugate gradients around it.

Sources: A. Brandt, "Multi-level adaptive solutions to boundary-value problems" (1977); J. E. Dendy, "Black box
multigrid", J. Comput. Phys. 48 (1982); O. Tatebe, "The multigrid preconditioned conjugate gradient method" (1993).

It takes 0.4 CPU-seconds and 70 bytes per pixel at a megapixel (300 exact hints, default weights), and both grow
linearly. A direct solver takes 40 times as long, and rising, and 1900 bytes per pixel: that is
`colorize.optimization.reference.solve`, against which this one is tested. `benchmarks/speed.py` measures them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from colorize._support.clock import tell
from colorize.optimization import kernels
from colorize.optimization.system import StencilSystem
from colorize.optimization.workers import bands, run
from colorize.types import Float32, Float64, SolveReport

# Unknowns that a dense inverse takes: its product costs less than the calls that one more grid takes.
_COARSEST = 120

# Odd, because the passes write by turns into two places and the last must end in the right one. On
# fine texture the third spares half of the cycles, a fifth nothing.
_PASSES = 3
_EQUATIONS, _READY, _BEGUN, _ENDED = 0.28, 0.32, 0.5, 0.85  # shares of the time of spreading, at 12 and 45 megapixels
_SMALLEST = 1e-6  # tolerance of float32


@dataclass(eq=False)
class Level:
    """One grid: the operator ``(w, d)``, the way to the next coarser grid ``p``, room for a system ``A x = b``."""

    w: Float32
    d: Float32
    x: Float32
    b: Float32
    p: Float32 | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width without the border."""
        return self.d.shape[0] - 2, self.d.shape[1] - 2

    @property
    def nonzeros(self) -> int:
        """Entries of the matrix that are not 0: the diagonal, and every coupling twice."""
        height, width = self.shape
        return height * width + 2 * int(np.count_nonzero(self.w))

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(a.nbytes for a in (self.w, self.d, self.x, self.b, self.p) if a is not None)


class Hierarchy:
    """Grids of falling size for one operator, and one multigrid cycle over them.

    Parameters
    ----------
    w, d : ndarray, shapes (4, H + 2, W + 2) and (H + 2, W + 2), float32
        Bordered couplings and diagonal, see `colorize.optimization.kernels`; kept, not copied.
    b : ndarray, shape (2, H + 2, W + 2), float32, optional
        Right-hand sides; kept and overwritten.

    See Also
    --------
    solve : Conjugate gradients with one cycle per step.
    colorize.optimization.system.stencil_system : The stage before.

    Notes
    -----
    A sweep of Gauss-Seidel removes errors that change from pixel to pixel and hardly touches those that reach across
    the photo; a grid of a quarter of the pixels sees these just as well. With every second pixel of every second row
    coarse, and interpolation P made from the couplings, the coarse operator ``P^T A P`` is the best there is in the
    energy of A (its correction is the A-orthogonal projection onto the range of P), and again a 3x3 stencil. All grids
    together hold 4/3 of the numbers of the first, so a cycle costs as much as a few sweeps.

    Examples
    --------
    >>> from colorize.optimization.affinity import gaussian
    >>> from colorize.optimization.system import stencil_system
    >>> lightness, wish = np.full((40, 60), 50, np.float32), np.zeros((40, 60, 2), np.float32)
    >>> system = stencil_system(gaussian(lightness), wish, np.full((40, 60), 0.01))
    >>> Hierarchy(system.w, system.d, b=system.b)
    Hierarchy of 4 grids, 0.14 MB, operator complexity 1.314, grid complexity 1.329
      grid            size    unknowns    nonzeros
         0         60 x 40       2,400      21,004 [76.1%]
         1         30 x 20         600       5,104 [18.5%]
         2         15 x 10         150       1,204 [ 4.4%]
         3           8 x 5          40         286 [ 1.0%]
    """

    def __init__(self, w: Float32, d: Float32, *, b: Float32 | None = None) -> None:
        tell("propagation", _EQUATIONS)
        self.levels = [_level(w, d, b)]
        while np.prod(self.levels[-1].shape) > _COARSEST:
            fine = self.levels[-1]
            # Rounded up: the first pixel of a row is coarse, so of an odd number the last one is, too.
            height, width = ((n + 1) // 2 for n in fine.shape)
            fine.p = np.zeros((4, height + 2, width + 2), np.float32)
            self.levels.append(_level(np.zeros_like(fine.p), np.ones_like(fine.p[0])))
            self._coarsen(fine, self.levels[-1])
        coarsest = self.levels[-1]
        # An inverse and not factors: two triangular solves of this size would cost more in calls
        # than in arithmetic, and a smoother on every other grid forgives what an inverse rounds.
        self._inverse = np.linalg.inv(dense(coarsest.w, coarsest.d)).astype(np.float32)

    def __repr__(self) -> str:
        nonzeros = [level.nonzeros for level in self.levels]
        unknowns = [level.d[1:-1, 1:-1].size for level in self.levels]
        lines = [
            f"Hierarchy of {len(self.levels)} grids, {self.nbytes / 1e6:.2f} MB, operator complexity "
            f"{sum(nonzeros) / nonzeros[0]:.3f}, grid complexity {sum(unknowns) / unknowns[0]:.3f}",
            "  grid            size    unknowns    nonzeros",
        ]
        for number, level in enumerate(self.levels):
            height, width = level.shape
            size, share = f"{width} x {height}", nonzeros[number] / sum(nonzeros)
            counts = f"{unknowns[number]:11,d} {nonzeros[number]:11,d}"
            lines.append(f"  {number:4d} {size:>15} {counts} [{share:5.1%}]")
        return "\n".join(lines)

    def _coarsen(self, fine: Level, coarse: Level) -> None:
        """Compute the operator of the next coarser grid, and the way to it."""
        # Each pass reads the one before; the coarse couplings, not yet known, lend it room.
        for k in range(_PASSES):
            p, previous = (fine.p, coarse.w) if k % 2 == 0 else (coarse.w, fine.p)
            self._share(kernels.interpolation, (p, previous, fine.w, fine.d, int(k > 0)), coarse)
        self._share(kernels.galerkin, (coarse.w, coarse.d, fine.w, fine.d, fine.p), coarse)

    @property
    def nbytes(self) -> int:
        """Bytes of all grids."""
        return sum(level.nbytes for level in self.levels)

    def cycle(self, depth: int = 0, *, full: bool = False) -> None:
        """Improve ``x`` of grid `depth` towards ``A x = b``: a V-cycle, or full multigrid.

        Two sweeps visit the four colours forwards, the last two backwards, so that a V-cycle from ``x = 0`` is a
        symmetric operator, as conjugate gradients ask: the sweeps after the correction are the adjoint of those before
        it, and ``P^T`` that of ``P``. In full multigrid every grid is first solved with the help of all coarser ones.
        """
        level = self.levels[depth]
        if level.p is None:
            # Channels are rows here; the inverse is symmetric, so it may stand on their right.
            inner = level.b[:, 1:-1, 1:-1].reshape(2, -1)
            level.x[:, 1:-1, 1:-1] = (inner @ self._inverse).reshape(2, *level.shape)
            return
        coarse = self.levels[depth + 1]
        self._descend(level, coarse)
        # The coarse grid looks for an error, of which nothing is known.
        coarse.x[:] = 0
        self.cycle(depth + 1, full=full)
        # A second visit starts from the first one's answer; where the coarser grid is exact there is nothing to add.
        if full and coarse.p is not None:
            self.cycle(depth + 1)
        self._ascend(level, coarse)

    def _descend(self, level: Level, coarse: Level) -> None:
        """Two sweeps forwards, and the residual as right-hand side of the coarse grid."""
        height, width = level.shape
        # Lead 1, so the pixels amid four coarse ones (even row, even column) come last and have no residual left.
        args = (level.w, level.d, level.x, level.b, level.p, coarse.b, 1)
        seams = self._smooth(args, height, width, restricts=1)
        # Around a seam `STAGES` rows on both sides were final only after the ranges had passed, so the residuals of the
        # coarse rows there are still to be collected; one row more on either side enters them.
        for seam in seams:
            first, last = seam - kernels.STAGES - 1, seam + kernels.STAGES + 2
            kernels.smooth(*args, stages=0, restricts=1, top=1, bottom=1, first=first, last=last)

    def _ascend(self, level: Level, coarse: Level) -> None:
        """The correction of the coarse grid, and two sweeps backwards."""
        self._share(kernels.add_correction, (level.x, coarse.x, level.p), coarse)
        # Lead 0: the colours in reverse order, which makes the cycle symmetric, and first those
        # amid four coarse pixels, which need no correction because their old value is not read.
        args = (level.w, level.d, level.x, level.b, level.p, coarse.b, 0)
        self._smooth(args, *level.shape, restricts=0)

    def _smooth(self, args: tuple[object, ...], height: int, width: int, *, restricts: int) -> list[int]:
        ranges = bands(1, height + 1, width)
        ends = [(int(first > 1), int(last <= height), first, last) for first, last in ranges]
        run(kernels.smooth, (*args, kernels.STAGES, restricts), ends)
        # Each range stops short of its neighbours, stage by stage (see `kernels.smooth`); what they
        # left around their meeting points depends on both and is done when both are.
        seams = [first for first, _ in ranges[1:]]
        for seam in seams:
            kernels.smooth(*args, kernels.STAGES, restricts=0, top=-1, bottom=-1, first=seam, last=seam)
        return seams

    def _share(self, kernel: Callable[..., None], args: tuple[object, ...], level: Level) -> None:
        height, width = level.shape
        run(kernel, args, bands(1, height + 1, 4 * width))  # a coarse pixel is four fine ones of work


def solve(
    system: StencilSystem, *, maxiter: int, tolerance: float, x: Float32 | None = None
) -> tuple[Float32, SolveReport]:
    """Solve ``A x = b`` for both channels by preconditioned conjugate gradients after a full-multigrid start.

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

    Returns
    -------
    ab : ndarray, shape (H, W, 2), float32
    report : SolveReport

    See Also
    --------
    colorize.optimization.system.stencil_system : Makes the system.
    colorize.optimization.reference.solve : Its twin: direct, in float64.

    Notes
    -----
    Multigrid alone would do on even ground. Where weights differ by 1000 : 1 a few clusters of
    pixels are seen by no coarse grid; the cycle then has a few eigenvalues near 0, and those are what conjugate
    gradients take out in as many steps. The method: Tatebe 1993; with ``z = M^-1 r`` for a cycle,

    ``p <- z + beta p``, ``x <- x + alpha p``, ``r <- r - alpha A p``, ``alpha = r.z / p.Ap``,
    ``beta = r.z / (r.z)_before``.

    The test is on the step and not on the residual, because a residual says little: it weighs a pixel by its diagonal,
    so its size depends on how even the photograph is. A step is in the unit of the answer.
    """
    start = time.perf_counter()
    hierarchy = Hierarchy(system.w, system.d, b=system.b)
    if x is None:
        x = np.zeros_like(system.b)
    iterations, residual, converged = _iterate(hierarchy, x, maxiter, tolerance)
    nbytes = hierarchy.nbytes + 2 * x.nbytes  # the directions are as large as x
    del hierarchy  # the largest thing there is: not beside one more field
    ab = np.ascontiguousarray(np.moveaxis(x[:, 1:-1, 1:-1], 0, -1))
    seconds = time.perf_counter() - start
    return ab, SolveReport("multigrid", iterations, residual, converged, seconds, nbytes + ab.nbytes, system.shape)


def _iterate(hierarchy: Hierarchy, x: Float32, maxiter: int, tolerance: float) -> tuple[int, float, bool]:
    """Turn the first guess `x` into the solution and the finest ``b`` into its residual; steps, residual, converged."""
    fine, p = hierarchy.levels[0], np.zeros_like(x)
    r, z = fine.b, fine.x
    height, width = fine.shape
    ranges = bands(1, height + 1, width)
    sums, moves = np.zeros((2, height + 2)), np.zeros((2, height + 2))
    minus, one = np.full(2, -1.0), np.ones(2)

    # Channels have the matrix in common and nothing else: numbers such as alpha come in pairs, and one walk through the
    # matrix serves both. Sums over rows are float64, in one order whatever the threads.
    def share(kernel: Callable[..., None], *args: object) -> Float64:
        run(kernel, args, ranges)
        return sums.sum(axis=1)

    # At 12 megapixels a field is 100 MB, so A times a direction lies where nothing else is needed just then: first in
    # the room of the directions to come, later in that of the cycle.
    norm_b = np.sqrt(share(kernels.dot, sums, r, r))
    if x.any():
        # p = A x, then p = r - p.
        share(kernels.apply, sums, p, fine.w, fine.d, x)
        share(kernels.turn, p, r, minus)
        r[:] = p
    # A step of length 1 along the answer of the full-multigrid cycle. That cycle is not symmetric,
    # so it serves as a start and not as a preconditioner.
    z[:] = 0
    tell("propagation", _READY)
    hierarchy.cycle(full=True)
    share(kernels.apply, sums, p, fine.w, fine.d, z)
    square = share(kernels.step, sums, moves, x, r, z, p, one)
    rz = np.ones(2)
    iteration, move, positive = 0, float(moves.max()), True
    first = move
    while iteration < maxiter and move > tolerance and positive:
        tell("propagation", _share_done(first, move, tolerance))
        z[:] = 0
        hierarchy.cycle()
        rz, old = share(kernels.dot, sums, r, z), rz
        # Always so, but for NaN, overflow or rounding gone wild: better an honest stop than a wrong picture.
        positive = bool((rz >= 0).all())
        share(kernels.turn, p, z, _ratio(rz, old) if iteration else minus * 0)
        alpha = _ratio(rz, share(kernels.apply, sums, z, fine.w, fine.d, p))
        square = share(kernels.step, sums, moves, x, r, p, z, alpha)
        iteration, move = iteration + 1, float(moves.max())
    residual = float(_ratio(np.sqrt(square), norm_b).max())
    return iteration, residual, move <= tolerance and positive


def _share_done(first: float, move: float, tolerance: float) -> float:
    """How far spreading has come, for whoever waits: moves shrink geometrically to the tolerance."""
    steps = math.log(first / max(tolerance, _SMALLEST))
    done = max(0.0, math.log(first / move) / steps) if steps > 0 else 0.0
    return _BEGUN + (_ENDED - _BEGUN) * done


def dense(w: Float32, d: Float32) -> Float64:
    """The operator of a small grid as a matrix, shape (H W, H W); `reference.as_matrix` makes sparse ones."""
    # Numbered with the border, so that every pixel has its neighbour at the same offset.
    width = d.shape[1] - 2
    index = np.arange(d.size).reshape(d.shape)
    full = np.zeros((d.size, d.size))
    full[index, index] = d
    inside = index[1:-1, 1:-1].ravel()
    for plane, offset in zip(w, (1, width + 2, width + 3, width + 1), strict=True):
        values = plane.ravel()[inside]
        full[inside, inside + offset] = -values
        full[inside + offset, inside] = -values
    return full[np.ix_(inside, inside)]


def _level(w: Float32, d: Float32, b: Float32 | None = None) -> Level:
    field = (2, *d.shape)
    return Level(w, d, np.zeros(field, np.float32), np.zeros(field, np.float32) if b is None else b)


def _ratio(a: Float64, b: Float64) -> Float64:
    # A channel may be solved from the start, as that of wishes for gray is: 0 / 0 then means no step.
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)
