"""From weights and constraints to equations: Levin's problem as ``A x = b``, in planes.

The form is ``(D - W + C) U = C h``, symmetric and positive definite, as `colorize.optimization.propagate` tells it; the
other readings of the paper are in `colorize.optimization.reference`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from colorize.optimization.workers import bands, run
from colorize.types import Bool, Float32


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

    See Also
    --------
    stencil_system : Makes one.
    colorize.optimization.reference.as_matrix : The same system as a SciPy matrix.

    Notes
    -----
    Five floats a pixel hold the matrix. A sparse matrix needs nine values and nine indices, 108
    bytes, and its product reads x through the indices, where planes are read in order.
    """

    w: Float32
    d: Float32
    b: Float32

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the photograph."""
        return self.d.shape[0] - 2, self.d.shape[1] - 2


def in_planes(ab: Float32) -> Float32:
    """Colours of a photograph, shape (H, W, 2), as the solver has them: shape (2, H + 2, W + 2), 0 on the border.

    The solver keeps channels apart (planes run through vector registers), photographs keep them together.

    Examples
    --------
    >>> in_planes(np.float32([[[1, 2]]])).tolist()
    [[[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0]]]
    """
    height, width, n_channels = ab.shape
    planes = np.zeros((n_channels, height + 2, width + 2), np.float32)
    planes[:, 1:-1, 1:-1] = np.moveaxis(ab, -1, 0)
    return planes


def stencil_system(
    planes: Float32,
    target_ab: Float32,
    weight: Float32,
    *,
    is_known: Bool | None = None,
    known_ab: Float32 | None = None,
) -> StencilSystem:
    """The equations of a photograph.

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

    Returns
    -------
    StencilSystem

    See Also
    --------
    colorize.optimization.affinity.gaussian : The stage before: the weights.
    colorize.optimization.multigrid.solve : The stage after: the colours.
    colorize.optimization.reference.matrix_system : Its twin in float64, with the other forms.

    Notes
    -----
    With the unknown pixels u and the known ones k, which have the colours v, the equations are

    ``A_uu x_u + A_uk x_k = b_u``, ``x_k = v``, hence ``A_uu x_u = b_u - A_uk v``,

    and the matrix that is solved has an identity where k was: as symmetric as before, of the same shape.
    """
    from colorize.optimization import kernels

    height, width = weight.shape
    b = np.zeros((2, height + 2, width + 2), np.float32)
    d = np.ones((height + 2, width + 2), np.float32)
    confidence = np.zeros((height + 2, width + 2), np.float32)
    inner = confidence[1:-1, 1:-1]
    # A row sums to its confidence and to nothing else, in float32 as well, if weights and
    # confidences are multiples of one unit. Rounded up, so that the faintest wish does not vanish:
    # a photograph whose only constraint it is would have no solution.
    np.multiply(weight, kernels.UNITS, out=inner)
    np.ceil(inner, out=inner)
    inner *= 1 / kernels.UNITS
    for channel in range(2):
        np.multiply(inner, target_ab[..., channel], out=b[channel, 1:-1, 1:-1])
    run(kernels.diagonal, (d, planes, confidence), bands(1, height + 1, width))
    if is_known is not None and known_ab is not None and is_known.any():
        #   [ A_uu  A_uk ] [ x_u ]   [ b_u ]          [ A_uu  0 ] [ x_u ]   [ b_u - A_uk v ]
        #   [            ] [     ] = [     ]   ==>    [         ] [     ] = [              ]
        #   [ A_ku  A_kk ] [ x_k ]   [ b_k ]          [  0    I ] [ x_k ]   [       v      ]
        #
        # The known pixels stay in the system, so that planes stay planes: no pixel is renumbered.
        # Their diagonal is 1 whatever their wish, and A_ku is cleared with A_uk because both are
        # one number in the planes. The diagonal of A_uu keeps the weights towards k: such a pixel
        # is held by a fixed colour.
        rows, cols = np.nonzero(is_known)
        values = np.ascontiguousarray(known_ab[rows, cols], np.float32)
        kernels.eliminate(d, planes, b, rows + 1, cols + 1, values)
    return StencilSystem(planes, d, b)
