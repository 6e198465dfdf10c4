"""The door of the room: a lightness, some wishes and some certainties in, the colour of every pixel out."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla
from numpy.typing import NDArray

from colorize.exceptions import ConvergenceWarning
from colorize.types import SolveReport

Float32 = NDArray[np.float32]
_WORKING_PIXELS = 150_000


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


def propagate(
    lightness: Float32,
    target_ab: Float32,
    weight: Float32,
    *,
    is_known: NDArray[np.bool_] | None = None,
    known_ab: Float32 | None = None,
    affinity: str = "gaussian",
    sigma: float = 1.5,
    floor: float = 1e-3,
    radius: int = 1,
    form: str = "laplacian",
    solver: str = "multigrid",
    maxiter: int | None = None,
    memory_limit: int = 2_500_000_000,
    callback: Callable[[int, float], None] | None = None,
) -> Propagation:
    """Spread colours over a photograph, along its lightness and not across its edges.

    Minimises ``sum_{r~s} w_rs |U_r - U_s|^2 + sum_r c_r |U_r - h_r|^2`` subject to ``U_r = known_ab_r`` where
    `is_known`, with ``w_rs = exp(-(L_r - L_s)^2 / (2 sigma^2)) + floor`` over 3x3 neighbours (symmetric Laplacian form).

    Parameters
    ----------
    lightness : ndarray, shape (H, W), float32
        CIE L*, 0..100.
    target_ab : ndarray, shape (H, W, 2), float32
        Wished colours h.
    weight : ndarray, shape (H, W), float32
        Confidence c of each wish, at least 0; 0 is no wish at all.
    is_known : ndarray, shape (H, W), bool, optional
        Pixels whose colour is certain.
    known_ab : ndarray, shape (H, W, 2), float32, optional
        Colours of the certain pixels.

    Returns
    -------
    Propagation
    """
    start = time.perf_counter()
    known = np.zeros(lightness.shape, bool) if is_known is None else np.asarray(is_known, bool)
    if not known.any() and not (weight > 0).any():
        raise ValueError(
            "nothing to propagate: weight is 0 everywhere and is_known marks no pixel; give a wish or a hint"
        )
    hard = np.zeros_like(target_ab) if known_ab is None else known_ab
    c = np.where(known, np.float32(1e4), weight).astype(np.float32)
    h = np.where(known[..., None], hard, target_ab).astype(np.float32)
    height, width = lightness.shape
    scale = min(1.0, (_WORKING_PIXELS / (height * width)) ** 0.5)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small_l = cv2.resize(lightness, size, interpolation=cv2.INTER_AREA)
    small_c = cv2.resize(c, size, interpolation=cv2.INTER_AREA)
    small_h = cv2.resize(h * c[..., None], size, interpolation=cv2.INTER_AREA).reshape(*small_l.shape, 2)
    small_h /= np.maximum(small_c, 1e-12)[..., None]
    small_ab, iterations, residual = _solve(small_l, small_h, small_c, sigma, floor, maxiter or 400)
    ab = small_ab if scale == 1.0 else _upsample(small_ab, lightness)
    ab = np.where(known[..., None], hard, ab).astype(np.float32)
    converged = residual < 1e-2
    if not converged:
        warnings.warn("propagation stopped before it converged; raise maxiter", ConvergenceWarning, stacklevel=2)
    report = SolveReport(
        "cg", iterations, residual, converged, time.perf_counter() - start, 400 * small_c.size, small_l.shape, scale < 1
    )
    return Propagation(ab, report)


def _solve(lightness, h, c, sigma, floor, maxiter):
    shape = lightness.shape
    index = np.arange(lightness.size).reshape(shape)
    laplacian = sp.diags_array(c.ravel().astype(float) + 1e-9).tocsr()
    for a, b in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
        (np.s_[:-1, :-1], np.s_[1:, 1:]),
        (np.s_[:-1, 1:], np.s_[1:, :-1]),
    ):
        w = (np.exp(-((lightness[a] - lightness[b]) ** 2) / (2 * sigma**2)) + floor).ravel().astype(float)
        i, j = index[a].ravel(), index[b].ravel()
        rows, cols = np.r_[i, j, i, j], np.r_[j, i, i, j]
        laplacian += sp.csr_array((np.r_[-w, -w, w, w], (rows, cols)), shape=laplacian.shape)
    inverse = 1 / laplacian.diagonal()
    steps = 0

    def count(_x):
        nonlocal steps
        steps += 1

    out = np.empty((*shape, 2), np.float32)
    worst = 0.0
    for channel in range(2):
        b = (c * h[..., channel]).ravel().astype(float)
        x, _ = spla.cg(
            laplacian,
            b,
            x0=h[..., channel].ravel(),
            rtol=1e-3,
            maxiter=maxiter,
            M=spla.LinearOperator(laplacian.shape, lambda v: inverse * v, dtype=float),
            callback=count,
        )
        worst = max(worst, float(np.linalg.norm(b - laplacian @ x) / max(np.linalg.norm(b), 1e-12)))
        out[..., channel] = x.reshape(shape)
    return out, steps, worst


def _upsample(ab, lightness):
    size = lightness.shape[::-1]
    scale = (lightness.size / ab[..., 0].size) ** 0.5
    guide = lightness / np.float32(100)
    radius = max(2, round(2 * scale))
    rough = cv2.resize(ab, size, interpolation=cv2.INTER_LINEAR)
    return np.dstack(
        [cv2.ximgproc.guidedFilter(guide, np.ascontiguousarray(rough[..., k]), radius, 1e-4) for k in range(2)]
    )
