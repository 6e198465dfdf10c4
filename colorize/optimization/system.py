"""From weights and constraints to equations: every form of Levin's problem as ``A x = b``.

Three forms, for affinities W, their row sums D, wishes h with confidence C (a diagonal matrix), known pixels exact:

``laplacian``
    ``(D - W + C) U = C h``: symmetric, positive definite; minimises
    ``sum_{r~s} w_rs |U_r - U_s|^2 + sum_r c_r |U_r - h_r|^2``. The default, and the one that multigrid solves.
``row_normalized``
    ``(I - D^-1 W + D^-1 C) U = D^-1 C h``: what the released code of the paper solves (there without C). Not symmetric.
    With symmetric weights it has the same solution as ``laplacian``, divided by D row by row.
``least_squares``
    minimises ``sum_r (U_r - sum_s w_rs U_s / d_r)^2 + sum_r c_r / d_r |U_r - h_r|^2``: the cost as the paper prints it.
    Symmetric but squared: worse conditioned, and colours may overshoot the range of the hints.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from colorize.optimization.affinity import OFFSETS
from colorize.optimization.workers import bands, run

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

_UNITS = 2.0**20  # as in kernels: weights and confidences are multiples of 2**-20, so that row sums are exact


@dataclass(eq=False)
class StencilSystem:
    """A symmetric 3x3-stencil system in planes; never a sparse matrix.

    Attributes
    ----------
    w : ndarray, shape (4, H + 2, W + 2), float32
        Couplings with the east, south, south-east and south-west neighbours, known pixels uncoupled.
    d : ndarray, shape (H + 2, W + 2), float32
        Diagonal; 1 for known pixels and the border.
    b : ndarray, shape (2, H + 2, W + 2), float32
        Right-hand sides of a* and b*.
    """

    w: Float32
    d: Float32
    b: Float32

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the photograph."""
        return self.d.shape[0] - 2, self.d.shape[1] - 2

    @property
    def nbytes(self) -> int:
        """Bytes of the three arrays."""
        return self.w.nbytes + self.d.nbytes + self.b.nbytes

    def to_matrix(self) -> MatrixSystem:
        """The same system as a SciPy matrix in float64, for direct solvers and references."""
        height, width = self.shape
        index = np.arange(height * width).reshape(height, width)
        matrix = sp.diags_array(self.d[1:-1, 1:-1].ravel().astype(np.float64)).tocoo()
        for plane, offset in zip(self.w, OFFSETS, strict=False):
            here, there = _pairs(index, offset)
            values = -plane[1:-1, 1:-1].ravel()[here].astype(np.float64)
            half = sp.coo_array((values, (here, there)), shape=matrix.shape)
            matrix = matrix + half + half.T
        rhs = self.b[:, 1:-1, 1:-1].reshape(2, -1).T.astype(np.float64)
        return MatrixSystem(sp.csc_array(matrix), rhs, self.shape, symmetric=True)


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
    """

    matrix: sp.csc_array
    rhs: NDArray[np.float64]
    shape: tuple[int, int]
    symmetric: bool

    @property
    def nbytes(self) -> int:
        """Bytes of matrix and right-hand sides, without any factors."""
        return self.matrix.data.nbytes + self.matrix.indices.nbytes + self.rhs.nbytes


def stencil_system(
    planes: Float32,
    target_ab: Float32,
    weight: Float32,
    *,
    is_known: Bool | None = None,
    known_ab: Float32 | None = None,
    threads: int = 1,
) -> StencilSystem:
    """The Laplacian form as planes.

    Parameters
    ----------
    planes : ndarray, shape (4, H + 2, W + 2), float32
        Symmetric weights, from `colorize.optimization.affinity`. Used in place: hand over a copy to keep them.
    target_ab : ndarray, shape (H, W, 2), float32
        Wished colours.
    weight : ndarray, shape (H, W), float32
        Confidence of the wishes, relative to the weight 1 between two equal neighbours; 0 for no wish.
    is_known : ndarray, shape (H, W), bool, optional
        Pixels that have their colour exactly.
    known_ab : ndarray, shape (H, W, 2), float32, optional
        Their colours.
    threads : int
        Threads that share the rows.

    Returns
    -------
    StencilSystem
    """
    from colorize.optimization import kernels

    height, width = weight.shape
    b = np.zeros((2, height + 2, width + 2), np.float32)
    d = np.ones((height + 2, width + 2), np.float32)
    confidence = np.zeros((height + 2, width + 2), np.float32)
    inner = confidence[1:-1, 1:-1]
    np.multiply(weight, np.float32(_UNITS), out=inner)
    np.ceil(inner, out=inner)
    inner *= np.float32(1 / _UNITS)
    for channel in range(2):
        np.multiply(inner, target_ab[..., channel], out=b[channel, 1:-1, 1:-1])
    run(kernels.diagonal, (d, planes, confidence), bands(1, height + 1, width, threads))
    if is_known is not None and known_ab is not None and is_known.any():
        rows, cols = np.nonzero(is_known)
        kernels.eliminate(d, planes, b, rows + 1, cols + 1, np.ascontiguousarray(known_ab[rows, cols], np.float32))
    return StencilSystem(planes, d, b)


def matrix_system(
    directed: Float32,
    target_ab: Float32,
    weight: Float32,
    *,
    form: str,
    is_known: Bool | None = None,
    known_ab: Float32 | None = None,
) -> MatrixSystem:
    """Any form as a SciPy matrix: a named reference, meant for small photographs.

    Parameters
    ----------
    directed : ndarray, shape (8, H, W), float32
        Directed weights; the Laplacian form takes ``(w_rs + w_sr) / 2``.
    form : str
        ``laplacian``, ``row_normalized`` or ``least_squares``; see the module's description.
    target_ab, weight, is_known, known_ab
        As in `stencil_system`.

    Returns
    -------
    MatrixSystem
    """
    shape = weight.shape
    n = weight.size
    affinity = _directed_matrix(directed.astype(np.float64))
    c, h = weight.ravel().astype(np.float64), target_ab.reshape(n, 2).astype(np.float64)
    known = np.zeros(n, bool) if is_known is None else np.asarray(is_known).ravel()
    values = np.zeros((n, 2)) if known_ab is None else known_ab.reshape(n, 2).astype(np.float64)
    if form == "laplacian":
        affinity = (affinity + affinity.T) / 2
        matrix = sp.diags_array(np.asarray(affinity.sum(axis=1)).ravel() + c) - affinity
        return _eliminated(sp.csr_array(matrix), c[:, None] * h, known, values, shape)
    total = np.asarray(affinity.sum(axis=1)).ravel()
    inverse = sp.diags_array(np.divide(1, total, out=np.zeros(n), where=total != 0))
    difference = sp.eye_array(n) - inverse @ affinity
    c = np.abs(inverse.diagonal()) * c
    if form == "least_squares":
        return _eliminated(
            sp.csr_array(difference.T @ difference + sp.diags_array(c)), c[:, None] * h, known, values, shape
        )
    if form != "row_normalized":
        raise ValueError(f"form must be laplacian, row_normalized or least_squares, got {form!r}")
    matrix = sp.diags_array((~known).astype(np.float64)) @ (difference + sp.diags_array(c)) + sp.diags_array(
        known * 1.0
    )
    rhs = np.where(known[:, None], values, c[:, None] * h)
    return MatrixSystem(sp.csc_array(matrix), rhs, shape, symmetric=False)


def _eliminated(
    matrix: sp.csr_array, rhs: NDArray[np.float64], known: Bool, values: NDArray[np.float64], shape: tuple[int, int]
) -> MatrixSystem:
    """Identity rows and columns for the known pixels, their couplings moved to the right-hand side."""
    free, fixed = sp.diags_array((~known).astype(np.float64)), sp.diags_array(known.astype(np.float64))
    held = np.where(known[:, None], values, 0.0)
    rhs = np.where(known[:, None], held, rhs - matrix @ held)
    return MatrixSystem(sp.csc_array(free @ matrix @ free + fixed), rhs, shape, symmetric=True)


def _directed_matrix(directed: NDArray[np.float64]) -> sp.csr_array:
    _, height, width = directed.shape
    index = np.arange(height * width).reshape(height, width)
    matrix = sp.csr_array((index.size, index.size))
    for values, offset in zip(directed, OFFSETS, strict=True):
        here, there = _pairs(index, offset)
        matrix = matrix + sp.csr_array((values.ravel()[here], (here, there)), shape=matrix.shape)
    return matrix


def _pairs(index: NDArray[np.intp], offset: tuple[int, int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Flat numbers of all pixels that have a neighbour at `offset`, and of these neighbours."""
    (row, col), (height, width) = offset, index.shape
    here = index[max(0, -row) : height - max(0, row), max(0, -col) : width - max(0, col)]
    there = index[max(0, row) : height + min(0, row), max(0, col) : width + min(0, col)]
    return here.ravel(), there.ravel()
