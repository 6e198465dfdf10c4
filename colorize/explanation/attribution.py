"""What each feature family says for one colour and against another: exact Shapley values."""

from __future__ import annotations

from collections.abc import Callable
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize.types import Float32

__all__ = ["attribute"]

# Blocks of 4 MB at 128 components; nine families make 512 rows of every background row.
_ROWS_AT_ONCE = 8192


def attribute(
    score: Callable[[Float32], NDArray[Any]], row: Float32, background: Float32
) -> tuple[float, NDArray[np.float64]]:
    """Split the score of a row among its families, against rows of a background.

    A coalition of families is worth the mean score of the background rows after they have taken over the row's values
    in these families. The Shapley value of a family is what it adds to a coalition, averaged over all orders in which
    the families could have joined: the only split that is additive, treats families alike, and gives nothing to a
    family that changes nothing. All ``2^n_families`` coalitions are evaluated, so nothing is left to chance but the
    choice of the background.

    Families that know the same share what they know. A mixture of a row and a background row may be no region that
    exists; the score must bear that.

    Parameters
    ----------
    score : callable
        Of rows, shape (n, n_components), float32; gives back one number each.
    row : ndarray, shape (n_families, n_components), float32
        What each family adds to the row; the sum over families is what `score` knows.
    background : ndarray, shape (n_families, n_rows, n_components), float32
        The same for ordinary rows. More of them give steadier values: the cost is ``2^n_families * n_rows`` scores.

    Returns
    -------
    start : float
        The score of ordinary rows, before anything is known of this one.
    parts : ndarray, shape (n_families,), float64
        What each family adds; ``start + parts.sum()`` is the score of the row itself.

    See Also
    --------
    colorize.recognition.machine.Scaling.family_parts : The stage before: a row by family.
    colorize.explanation.explainer.Explainer : Asks it of the log-odds of two colours.
    colorize.explanation.explainer.Explanation.steps : Tells it with what follows.

    References
    ----------
    Shapley, "A value for n-person games", 1953. Lundberg and Lee, "A unified approach to interpreting model
    predictions", NIPS 2017. Janzing, Minorics and Bloebaum, "Feature relevance quantification in explainable AI: a
    causal problem", AISTATS 2020 (why a background takes over values, rather than being conditioned on them).

    Examples
    --------
    >>> row = np.array([[[3.0, 0.0]], [[0.0, 2.0]]], np.float32)
    >>> start, parts = attribute(lambda rows: rows[:, 0] + 10 * rows[:, 1], row[:, 0], np.zeros_like(row))
    >>> start, parts.tolist()
    (0.0, [3.0, 20.0])
    """
    n_families, n_rows, n_components = background.shape
    if row.shape != (n_families, n_components):
        raise ValueError(f"row must be {(n_families, n_components)} as the background is, got {row.shape}")
    joined = (np.arange(2**n_families)[:, None] >> np.arange(n_families)) & 1  # coalition by family
    steps = np.moveaxis(row[:, None] - background, 0, 1)  # row by family by component
    ordinary = background.sum(axis=0)
    at_once = max(1, _ROWS_AT_ONCE // len(joined))
    worth = np.zeros(len(joined))
    for first in range(0, n_rows, at_once):
        block = slice(first, first + at_once)
        # The components are linear in the features: a mixture is a sum of what families add, and
        # nothing has to be scaled again.
        mixed = ordinary[block, None] + joined.astype(np.float32) @ steps[block]
        worth += score(mixed.reshape(-1, n_components)).reshape(-1, len(joined)).sum(axis=0, dtype=np.float64)
    worth /= n_rows
    return float(worth[0]), _shapley_weights(joined) @ worth


def _shapley_weights(joined: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weight of every coalition's worth in every family's value, shape (n_families, n_coalitions)."""
    n_families = joined.shape[1]
    orders = np.array([factorial(k) * factorial(n_families - 1 - k) for k in range(n_families)]) / factorial(n_families)
    size = joined.sum(axis=1)
    # Clipped where the formula leaves the table; `where` takes the other one there.
    with_it = orders[np.maximum(size - 1, 0)]
    without_it = orders[np.minimum(size, n_families - 1)]
    return np.where(joined.T == 1, with_it, -without_it)
