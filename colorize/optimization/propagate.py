"""The door of the room: a lightness, some wishes and some certainties in, the colour of every pixel out."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace

import numpy as np

from colorize._support.numbers import is_integer, is_number
from colorize._support.shrink import shrink_to
from colorize.exceptions import ConvergenceWarning
from colorize.optimization import affinity, system, upsampling
from colorize.optimization.constraints import Constraints, checked_colors, checked_lightness
from colorize.types import Bool, Float32, SolveReport

MEMORY_LIMIT = 300_000_000
"""The solver has room for 4.3 megapixels in that. What automatic colours of photographs of 12 and 22 megapixels
lose by being solved at this size is 0.03 to 0.1 of a* and b* in the mean, 0.4 to 0.8 at the 99th
percentile: nothing to see, for a third of the memory and half of the time."""

BYTES_PER_PIXEL = 70
"""Peak memory of the solver: about 18 floats a pixel. The photo's own grid has ten (couplings 4, diagonal
1, its two fields 2 each, interpolation 1), all coarser grids together a third of that, and
conjugate gradients two fields of two channels."""

# The error that is left is about that of the last step. 0.3 in a* and in b* keep the largest below
# about 0.5, a fifth of the difference that can just be seen, 2.3 units of ab (Mahy et al. 1994).
TOLERANCE = 0.3

# Of an answer with a first guess. A person who draws waits for the picture, and an error of one unit of ab cannot be
# seen beside the stroke.
_TOLERANCE_STARTED = 1.0

# Photographs with a few hints take about 12 at the default floor, 30 at a tenth of it, 70 at the lowest.
MAXITER = 60


@dataclass(frozen=True, eq=False)
class Propagation:
    """The colour of every pixel and how it was found.

    Attributes
    ----------
    ab : ndarray, shape (H, W, 2), float32
        CIELAB a* and b*.
    report : SolveReport

    See Also
    --------
    propagate : Makes one.
    colorize.color.map_to_gamut : What comes next: colours that a screen can show.
    """

    ab: Float32
    report: SolveReport


def propagate(
    lightness: Float32,
    target_ab: Float32,
    weight: Float32,
    *,
    is_known: Bool | None = None,
    known_ab: Float32 | None = None,
    sigma: float = affinity.SIGMA,
    floor: float = affinity.FLOOR,
    maxiter: int = MAXITER,
    tolerance: float | None = None,
    memory_limit: int = MEMORY_LIMIT,
    start_ab: Float32 | None = None,
    from_wishes: bool = False,
) -> Propagation:
    """Spread colours over a photograph, along its lightness and not across its edges.

    Parameters
    ----------
    lightness : ndarray, shape (H, W), float32
        CIE L*, 0..100.
    target_ab : ndarray, shape (H, W, 2), float32
        Wished colours h.
    weight : ndarray, shape (H, W), float32
        Confidence c of each wish, at least 0; 0 is no wish at all. A uniform weight c smooths over about
        ``1 / sqrt(c)`` pixels of even lightness, so for one look at every size let it fall like 1 / (number of pixels).
        Blotches show through: smaller. Colours wash out: larger. Useful from about 1e-5 to 10.
    is_known : ndarray, shape (H, W), bool, optional
        Pixels whose colour is certain; neutral grey is as good as any.
    known_ab : ndarray, shape (H, W, 2), float32, optional
        Colours of the certain pixels.
    sigma, floor : float
        Of the weights between neighbours, see `colorize.optimization.affinity.gaussian`. A floor of 0.01 halves the
        time and loses little when every pixel has a wish; 0.001 is better with a few strokes.
    maxiter : int
        Most iterations.
    tolerance : float, optional
        Stop when a step moves no pixel by more than this many units of a* or b*; if None, 0.3, and 1.0 with a first
        guess, for whoever draws waits. Errors do not add up: every answer starts from the true residual.
    memory_limit : int
        Bytes the solver may use. A photograph over it is solved at the largest size that fits and
        brought to full size by a guided filter; ``report.reduced`` says so.
    start_ab : ndarray, shape (H, W, 2), float32, optional
        A first guess, such as the answer before the last stroke.
    from_wishes : bool
        Start from `target_ab` instead: for wishes that are near the answer.

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

    See Also
    --------
    colorize.guidance.canvas.Canvas : Asks for the colours of regions and, after hints, for their change.
    colorize.optimization.reference.propagate_reference : Its twin: solved directly, in any form.
    colorize.features.superpixels.resize_labels : The stage before: colours of regions, wished by their pixels.
    colorize.color.map_to_gamut : The stage after: colours that a screen can show.

    Notes
    -----
    The colours U minimise

    ``sum_{r~s} w_rs |U_r - U_s|^2 + sum_r c_r |U_r - h_r|^2``, with ``U_r = known_ab_r`` where `is_known`,

    over the pairs of 3x3 neighbours. The gradient is zero where ``(D - W + C) U = C h``: the weights W, their row sums
    D, the confidences C. That matrix is symmetric, positive definite, diagonally dominant with entries of at most 0
    beside the diagonal (an M-matrix). Hence the maximum principle: no colour leaves the range of the constraints, and
    the result is clipped to it.

    Arrays that are handed over as temporaries are freed before the largest ones are made.

    References
    ----------
    Levin, Lischinski and Weiss, "Colorization using optimization", SIGGRAPH 2004, in the symmetric Laplacian form.

    Examples
    --------
    A dark and a light half, one certain pixel in each:

    >>> import numpy as np
    >>> lightness = np.repeat(np.float32([[20, 80]]), 8, axis=1).repeat(4, axis=0)
    >>> known, colors = np.zeros((4, 16), bool), np.zeros((4, 16, 2), np.float32)
    >>> known[1, [2, 12]] = True
    >>> colors[1, 2], colors[1, 12] = (30, 10), (0, -40)
    >>> wish, weight = np.zeros((4, 16, 2), np.float32), np.zeros((4, 16), np.float32)
    >>> result = propagate(lightness, wish, weight, is_known=known, known_ab=colors)
    >>> result.ab[3, [0, 15]].round().tolist()
    [[30.0, 10.0], [0.0, -40.0]]
    >>> result.report.converged
    True

    A stroke more, from there:

    >>> known[3], colors[3] = True, (5, 5)
    >>> propagate(lightness, wish, weight, is_known=known, known_ab=colors, start_ab=result.ab).ab[3, 0].tolist()
    [5.0, 5.0]
    """
    # It loads numba: a second that whoever only asks for a shape should not wait for.
    from colorize.optimization import multigrid

    affinity.check(sigma, floor)
    lightness = checked_lightness(lightness)
    if not (is_number(memory_limit) and memory_limit > 0):
        raise ValueError(f"memory_limit must be a number of bytes, got {memory_limit!r}")
    constraints = Constraints.checked(lightness.shape, target_ab, weight, is_known, known_ab)
    if start_ab is not None:
        start_ab = checked_colors("start_ab", start_ab, lightness.shape)
    first = constraints.target_ab if from_wishes else start_ab
    if tolerance is None:
        tolerance = TOLERANCE if first is None else _TOLERANCE_STARTED
    if not (is_number(tolerance) and tolerance > 0 and is_integer(maxiter) and maxiter >= 1):
        raise ValueError(
            f"tolerance must be positive and maxiter at least 1, a whole number, got {tolerance!r} and {maxiter!r}"
        )
    shape = fitting_shape(lightness.shape, memory_limit)
    small_lightness = shrink_to(lightness, shape)
    limits, small = constraints.limits(), constraints.shrunk(shape)
    equations = system.stencil_system(
        affinity.gaussian(small_lightness, sigma=sigma, floor=floor),
        small.target_ab,
        small.weight,
        is_known=small.is_known,
        known_ab=small.known_ab,
    )
    is_known = constraints.is_known
    certain_ab = None if is_known is None or constraints.known_ab is None else constraints.known_ab[is_known]
    x = None if first is None else system.in_planes(shrink_to(first, shape))
    # 28 bytes a pixel, unless the caller keeps them.
    del target_ab, weight, known_ab, start_ab, first, constraints, small
    ab, report = multigrid.solve(equations, maxiter=maxiter, tolerance=tolerance, x=x)
    del equations, x
    if shape != lightness.shape:
        report = replace(report, reduced=True)
        ab = upsampling.guided_enlarge(ab, small_lightness, lightness)
    # By the maximum principle the exact solution never leaves the range of the constraints; an
    # iteration that stops early may by its tolerance, and a guided filter by a little more.
    for channel, (low, high) in enumerate(limits):
        np.clip(ab[..., channel], low, high, out=ab[..., channel])
    # Afterwards, so that it is exact also after enlarging and in the last bit.
    if certain_ab is not None:
        ab[is_known] = certain_ab
    if not report.converged:
        warnings.warn(unconverged(report), ConvergenceWarning, stacklevel=2)
    return Propagation(ab, report)


def unconverged(report: SolveReport) -> str:
    """What to tell a user whose solver gave up."""
    return f"propagation stopped after {report.iterations} iterations before it converged; raise maxiter or floor"


def fitting_shape(shape: tuple[int, int], memory_limit: float = MEMORY_LIMIT) -> tuple[int, int]:
    """The photo's own shape, or the largest of the same proportions whose system fits in the memory."""
    n_pixels = memory_limit / BYTES_PER_PIXEL
    scale = math.sqrt(n_pixels / (shape[0] * shape[1]))
    if scale >= 1:
        return shape
    height, width = (max(1, int(side * scale)) for side in shape)
    # A strip whose short side is a pixel already has to lose the rest of its length.
    return min(height, max(1, int(n_pixels / width))), min(width, max(1, int(n_pixels / height)))
