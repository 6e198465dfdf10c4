"""The door of the room: a lightness, some wishes and some certainties in, the colour of every pixel out."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from colorize.exceptions import ConvergenceWarning
from colorize.optimization import affinity as affinities
from colorize.optimization import solvers, system, upsampling
from colorize.optimization.workers import available_cores
from colorize.types import SolveReport

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]
Callback = Callable[[int, float], None]

AFFINITIES = ("gaussian", "local_variance", "correlation")
FORMS = ("laplacian", "row_normalized", "least_squares")
MEMORY_LIMIT = 300_000_000
"""Multigrid has room for 4.3 megapixels in that. What automatic colours of photographs of 12 and 22 megapixels lose by
being solved at this size is 0.03 to 0.1 of a* and b* in the mean, 0.4 to 0.8 at the 99th percentile: nothing to see,
for a third of the memory and half of the time."""
BYTES_PER_PIXEL = {"multigrid": 70, "direct": 2500, "cg": 500}
"""Peak memory of each solver, all its arrays counted; the figures for direct and cg hold up to a megapixel."""
_TOLERANCE_OF_EDITS = 1.0


@dataclass(frozen=True, eq=False)
class Propagation:
    """The colour of every pixel and how it was found.

    Attributes
    ----------
    ab : ndarray, shape (H, W, 2), float32
        CIELAB a* and b*.
    report : SolveReport
    """

    ab: Float32
    report: SolveReport


@dataclass(frozen=True, eq=False)
class _Constraints:
    """Checked wishes and certainties."""

    target_ab: Float32
    weight: Float32
    is_known: Bool | None
    known_ab: Float32 | None


def propagate(
    lightness: Float32,
    target_ab: Float32,
    weight: Float32,
    *,
    is_known: Bool | None = None,
    known_ab: Float32 | None = None,
    affinity: str = "gaussian",
    sigma: float = affinities.SIGMA,
    floor: float = affinities.FLOOR,
    radius: int = 1,
    form: str = "laplacian",
    solver: str = "multigrid",
    maxiter: int | None = None,
    tolerance: float = solvers.TOLERANCE,
    memory_limit: int = MEMORY_LIMIT,
    threads: int | None = None,
    callback: Callback | None = None,
) -> Propagation:
    """Spread colours over a photograph, along its lightness and not across its edges.

    Minimises ``sum_{r~s} w_rs |U_r - U_s|^2 + sum_r c_r |U_r - h_r|^2`` over the pairs of 3x3 neighbours, subject to
    ``U_r = known_ab_r`` where `is_known` (A. Levin, D. Lischinski, Y. Weiss, "Colorization using optimization", 2004,
    in the symmetric Laplacian form; `form` names the others). With gaussian or local_variance weights no colour
    leaves the range of the constraints, so the result is clipped to it.

    Parameters
    ----------
    lightness : ndarray, shape (H, W), float32
        CIE L*, 0..100.
    target_ab : ndarray, shape (H, W, 2), float32
        Wished colours h.
    weight : ndarray, shape (H, W), float32
        Confidence c of each wish, at least 0; 0 is no wish at all. A uniform weight c smooths over about
        ``1 / sqrt(c)`` pixels of even lightness, so for one look at every size let it fall like 1 / (number of
        pixels). Blotches show through: smaller. Colours wash out: larger. Useful from about 1e-5 to 10.
    is_known : ndarray, shape (H, W), bool, optional
        Pixels whose colour is certain; neutral grey is as good as any.
    known_ab : ndarray, shape (H, W, 2), float32, optional
        Colours of the certain pixels.
    affinity : str
        ``gaussian`` (one sigma for the photo), ``local_variance`` or ``correlation`` (the paper's two).
    sigma, floor : float
        Of the affinities, see `colorize.optimization.affinity.gaussian`. A floor of 0.01 halves the time and
        loses little when every pixel has a wish; 0.001 is better with a few strokes.
    radius : int
        Half width of the window of local statistics (local_variance, correlation).
    form : str
        ``laplacian``, or for study ``row_normalized`` or ``least_squares`` (direct solver only).
    solver : str
        ``multigrid``, ``direct`` or ``cg``; see `colorize.optimization.solvers`.
    maxiter : int, optional
        Most iterations; the default of each solver if None.
    tolerance : float
        Multigrid stops when a step moves no pixel by more than this many units of a* or b*.
    memory_limit : int
        Bytes the solver may use. A photograph over it is solved at the largest size that fits and brought to full
        size by a guided filter; ``report.reduced`` says so.
    threads : int, optional
        Threads; all cores if None. The result does not depend on it.
    callback : callable, optional
        Called as ``callback(iteration, largest_move)`` after every multigrid iteration.

    Returns
    -------
    Propagation

    Raises
    ------
    ValueError
        Arrays of wrong shape or with NaN, an illegal option, or neither a wish nor a certainty anywhere.

    Warns
    -----
    ConvergenceWarning
        The solver stopped at `maxiter`; ``report.converged`` is False.

    Examples
    --------
    A dark and a light half, one certain pixel in each:

    >>> import numpy as np
    >>> lightness = np.repeat(np.float32([[20, 80]]), 8, axis=1).repeat(4, axis=0)
    >>> known, colors = np.zeros((4, 16), bool), np.zeros((4, 16, 2), np.float32)
    >>> known[1, [2, 12]] = True
    >>> colors[1, 2], colors[1, 12] = (30, 10), (0, -40)
    >>> none = np.zeros((4, 16), np.float32)
    >>> result = propagate(lightness, np.zeros((4, 16, 2), np.float32), none, is_known=known, known_ab=colors)
    >>> result.ab[3, [0, 15]].round().tolist()
    [[30.0, 10.0], [0.0, -40.0]]
    >>> result.report.converged
    True
    """
    if form == "laplacian" and solver == "multigrid" and affinity != "correlation":
        photo = Propagator(
            lightness, affinity=affinity, sigma=sigma, floor=floor, radius=radius, memory_limit=memory_limit,
            threads=threads, once=True,
        )  # fmt: skip
        return photo.solve(
            target_ab, weight, is_known=is_known, known_ab=known_ab, maxiter=maxiter, tolerance=tolerance,
            callback=callback,
        )  # fmt: skip
    lightness = _checked_lightness(lightness)
    _check_options(affinity, sigma, floor, radius)
    if form not in FORMS:
        raise ValueError(f"form must be one of {', '.join(FORMS)}, got {form!r}")
    if solver not in solvers.METHODS:
        raise ValueError(f"solver must be one of {', '.join(solvers.METHODS)}, got {solver!r}")
    if solver != "direct" and (affinity == "correlation" or form != "laplacian"):
        raise ValueError(f"affinity {affinity!r} in the form {form!r} needs solver='direct', got {solver!r}")
    constraints = _checked(lightness.shape, target_ab, weight, is_known, known_ab)
    start = time.perf_counter()
    small_lightness, small = _fitting(lightness, constraints, solver, memory_limit)
    directed = _directed(small_lightness, affinity, sigma, floor, radius)
    equations = system.matrix_system(
        directed, small.target_ab, small.weight, form=form, is_known=small.is_known, known_ab=small.known_ab
    )
    ab, report = solvers.solve(equations, solver, maxiter=maxiter)
    obeys = form != "least_squares" and affinity != "correlation"
    limits = _limits(constraints) if obeys else ()
    return _finished(ab, report, lightness, small_lightness, start, constraints.is_known, constraints.known_ab, limits)


class Propagator:
    """One photograph, many changes of its constraints: keeps the weights and starts each solve from the last answer.

    Parameters
    ----------
    lightness : ndarray, shape (H, W), float32
        CIE L*, 0..100.
    affinity, sigma, floor, radius, memory_limit, threads
        As in `propagate`; affinity gaussian or local_variance.
    once : bool
        There will be one solve only: it works in the weights themselves and keeps no answer, which saves a third of
        the memory. Wishes that are handed over as temporaries are freed before the largest arrays are made.

    Examples
    --------
    >>> import numpy as np
    >>> photo = Propagator(np.full((8, 8), 50, np.float32))
    >>> wish, weight = np.zeros((8, 8, 2), np.float32), np.full((8, 8), 0.01, np.float32)
    >>> before = photo.solve(wish, weight)
    >>> stroke = np.zeros((8, 8), bool)
    >>> stroke[4] = True
    >>> after = photo.solve(wish, weight, is_known=stroke, known_ab=np.full((8, 8, 2), 40, np.float32))
    >>> after.ab[4, 0].tolist()
    [40.0, 40.0]
    """

    def __init__(
        self,
        lightness: Float32,
        *,
        affinity: str = "gaussian",
        sigma: float = affinities.SIGMA,
        floor: float = affinities.FLOOR,
        radius: int = 1,
        memory_limit: int = MEMORY_LIMIT,
        threads: int | None = None,
        once: bool = False,
    ) -> None:
        if affinity == "correlation":
            raise ValueError("affinity 'correlation' has negative weights and needs propagate(..., solver='direct')")
        _check_options(affinity, sigma, floor, radius)
        self.lightness = _checked_lightness(lightness)
        self.threads = available_cores() if threads is None else threads
        if self.threads < 1:
            raise ValueError(f"threads must be at least 1, got {threads!r}")
        self.memory_limit = memory_limit
        shape = _fitting_shape(self.lightness.shape, "multigrid", memory_limit)
        self._small_lightness = upsampling.shrink(self.lightness, shape)
        if affinity == "gaussian":
            self._planes: Float32 | None = affinities.gaussian(
                self._small_lightness, sigma=sigma, floor=floor, threads=self.threads
            )
        else:
            directed = affinities.local_variance(self._small_lightness, radius=radius)
            self._planes = affinities.planes_from_directed(directed, floor=floor)
        self._last: Float32 | None = None
        self._once = once

    def __repr__(self) -> str:
        height, width = self._small_lightness.shape
        nbytes = 0 if self._planes is None else self._planes.nbytes
        return f"Propagator({width}x{height} pixels, {nbytes / 1e6:.0f} MB of weights)"

    def solve(
        self,
        target_ab: Float32,
        weight: Float32,
        *,
        is_known: Bool | None = None,
        known_ab: Float32 | None = None,
        maxiter: int | None = None,
        tolerance: float | None = None,
        start_ab: Float32 | None = None,
        callback: Callback | None = None,
    ) -> Propagation:
        """Colours for the present constraints; parameters, errors and warnings as in `propagate`.

        Parameters
        ----------
        target_ab, weight, is_known, known_ab, maxiter, callback
            As in `propagate`.
        tolerance : float, optional
            As in `propagate`; if None, that one's default for the first answer and a looser one, for speed, for
            those after it. Errors do not add up: every answer starts from the true residual.
        start_ab : ndarray, shape (H, W, 2), float32, optional
            A first guess to start from instead of the last answer: equal calls then give equal bytes, whatever was
            asked before.

        Returns
        -------
        Propagation

        Raises
        ------
        RuntimeError
            The propagator was made for one solve (`once`), and this is another.
        """
        start = time.perf_counter()
        first = self._last if start_ab is None else upsampling.shrink(start_ab, self._small_lightness.shape)
        if tolerance is None:
            tolerance = solvers.TOLERANCE if first is None else _TOLERANCE_OF_EDITS
        constraints = _checked(self.lightness.shape, target_ab, weight, is_known, known_ab)
        limits = _limits(constraints)
        small = _shrunk(constraints, self._small_lightness.shape)
        planes = self._planes
        if planes is None:
            raise RuntimeError("this propagator was made for one solve only (once=True), which was done")
        if self._once:
            self._planes = None
        else:  # the solver works in those it gets
            planes = planes.copy()
        equations = system.stencil_system(
            planes,
            small.target_ab,
            small.weight,
            is_known=small.is_known,
            known_ab=small.known_ab,
            threads=self.threads,
        )
        is_known, known_ab = constraints.is_known, constraints.known_ab
        del planes, target_ab, weight, constraints, small  # 100 MB at 12 megapixels, unless the caller keeps them
        ab, report = solvers.solve(
            equations,
            "multigrid",
            maxiter=maxiter,
            tolerance=tolerance,
            start_ab=first,
            threads=self.threads,
            callback=callback,
        )
        del equations
        self._last = None if self._once else ab.copy()
        return _finished(ab, report, self.lightness, self._small_lightness, start, is_known, known_ab, limits)


def _finished(
    ab: Float32,
    report: SolveReport,
    lightness: Float32,
    small_lightness: Float32,
    start: float,
    is_known: Bool | None,
    known_ab: Float32 | None,
    limits: Sequence[tuple[float, float]],
) -> Propagation:
    """Full size, inside the range of the constraints, hints met exactly, and the truth about all that.

    `ab` is written to.
    """
    reduced = small_lightness.shape != lightness.shape
    if reduced:
        ab = upsampling.guided_enlarge(ab, small_lightness, lightness)
    for channel, (low, high) in enumerate(limits):
        np.clip(ab[..., channel], low, high, out=ab[..., channel])
    if is_known is not None and known_ab is not None:
        ab[is_known] = known_ab[is_known]
    if not report.converged:
        warnings.warn(
            f"propagation stopped after {report.iterations} iterations before it converged; raise maxiter or floor",
            ConvergenceWarning,
            stacklevel=3,
        )
    return Propagation(ab, replace(report, seconds=time.perf_counter() - start, reduced=reduced))


def _limits(constraints: _Constraints) -> list[tuple[float, float]]:
    """Lowest and highest a*, and b*, of all wishes and certainties."""
    pairs = [(constraints.target_ab, constraints.weight > 0)]
    if constraints.is_known is not None and constraints.known_ab is not None:
        pairs.append((constraints.known_ab, constraints.is_known))
    limits = []
    for channel in range(2):
        low = min(float(colors[..., channel].min(where=where, initial=np.inf)) for colors, where in pairs)
        high = max(float(colors[..., channel].max(where=where, initial=-np.inf)) for colors, where in pairs)
        limits.append((low, high))
    return limits


def _directed(lightness: Float32, affinity: str, sigma: float, floor: float, radius: int) -> Float32:
    if affinity == "correlation":
        return affinities.correlation(lightness, radius=radius)
    if affinity == "local_variance":
        return affinities.local_variance(lightness, radius=radius)
    return affinities.directed_from_planes(affinities.gaussian(lightness, sigma=sigma, floor=floor))


# ------------------------------------------------------------------------------------------ memory, size


def _fitting_shape(shape: tuple[int, int], solver: str, memory_limit: int) -> tuple[int, int]:
    """The photo's own shape, or the largest of the same proportions whose system fits in `memory_limit` bytes."""
    scale = math.sqrt(memory_limit / (BYTES_PER_PIXEL[solver] * shape[0] * shape[1]))
    if scale >= 1:
        return shape
    return max(1, int(shape[0] * scale)), max(1, int(shape[1] * scale))


def _fitting(
    lightness: Float32, constraints: _Constraints, solver: str, memory_limit: int
) -> tuple[Float32, _Constraints]:
    shape = _fitting_shape(lightness.shape, solver, memory_limit)
    return upsampling.shrink(lightness, shape), _shrunk(constraints, shape)


def _shrunk(constraints: _Constraints, shape: tuple[int, int]) -> _Constraints:
    """Constraints on a smaller grid: confidences add up, colours are means, a cell with a certain pixel is certain."""
    if shape == constraints.weight.shape:
        return constraints
    cell = constraints.weight.size / (shape[0] * shape[1])
    target_ab, mean_weight = upsampling.weighted_shrink(constraints.target_ab, constraints.weight, shape)
    small = replace(constraints, target_ab=target_ab, weight=mean_weight * np.float32(cell))
    if constraints.is_known is None or constraints.known_ab is None:
        return small
    known_ab, share = upsampling.weighted_shrink(constraints.known_ab, constraints.is_known.astype(np.float32), shape)
    return replace(small, is_known=share > 0, known_ab=known_ab)


# ------------------------------------------------------------------------------------------ checks


def _checked_lightness(lightness: Float32) -> Float32:
    lightness = np.asarray(lightness, np.float32)
    if lightness.ndim != 2 or lightness.size == 0:
        raise ValueError(f"lightness must be (H, W) with at least one pixel, got shape {lightness.shape}")
    if not np.isfinite(lightness).all():
        raise ValueError("lightness must be finite; it holds NaN or infinity")
    return lightness


def _check_options(affinity: str, sigma: float, floor: float, radius: int) -> None:
    if affinity not in AFFINITIES:
        raise ValueError(f"affinity must be one of {', '.join(AFFINITIES)}, got {affinity!r}")
    if not (math.isfinite(sigma) and sigma > 0):
        raise ValueError(f"sigma must be a positive step of L*, got {sigma!r}")
    if not 1e-5 <= floor <= 1:
        raise ValueError(f"floor must lie in [1e-5, 1]: it keeps the pixels connected; got {floor!r}")
    if radius < 1:
        raise ValueError(f"radius must be at least 1 pixel, got {radius!r}")


def _checked(
    shape: tuple[int, int], target_ab: Float32, weight: Float32, is_known: Bool | None, known_ab: Float32 | None
) -> _Constraints:
    target_ab, weight = np.asarray(target_ab, np.float32), np.asarray(weight, np.float32)
    if weight.shape != shape:
        raise ValueError(f"weight must have the shape of lightness, {shape}, got {weight.shape}")
    if not (np.isfinite(weight).all() and weight.min() >= 0):
        raise ValueError("weight must be finite and at least 0 everywhere")
    _check_colors("target_ab", target_ab, shape)
    if (is_known is None) != (known_ab is None):
        raise ValueError("is_known and known_ab belong together: give both or neither")
    if is_known is not None:
        is_known, known_ab = np.asarray(is_known, bool), np.asarray(known_ab, np.float32)
        if is_known.shape != shape:
            raise ValueError(f"is_known must have the shape of lightness, {shape}, got {is_known.shape}")
        _check_colors("known_ab", known_ab, shape)
    if not (weight > 0).any() and (is_known is None or not is_known.any()):
        raise ValueError(
            "nothing to propagate: weight is 0 everywhere and is_known marks no pixel; add a wish or a hint"
        )
    return _Constraints(target_ab, weight, is_known, known_ab)


def _check_colors(name: str, ab: Float32, shape: tuple[int, int]) -> None:
    if ab.shape != (*shape, 2):
        raise ValueError(f"{name} must have shape {(*shape, 2)}, got {ab.shape}")
    if not np.isfinite(ab).all():
        raise ValueError(f"{name} must be finite everywhere; it holds NaN or infinity")
