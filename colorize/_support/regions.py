"""The graph of the regions of a photograph, and the matrices that are made of it.

Several stages let touching regions speak to each other: features average over neighbours, evidence and errors spread
along edges. They have this graph in common and nothing else.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from colorize.types import Float32, Superpixels


def region_graph(superpixels: Superpixels, ties: NDArray[np.floating] | None = None) -> sparse.csr_array:
    """The graph of touching regions as a symmetric matrix W of weights, shape (n, n), float64.

    `ties`, shape (n_edges,), are the weights of the pairs in ``superpixels.adjacency``, all 1 if None; 0 is no edge.
    """
    low, high = superpixels.adjacency.T
    weights = np.ones(len(low)) if ties is None else np.asarray(ties, np.float64)
    n = superpixels.n_superpixels
    half = sparse.coo_array((weights, (low, high)), shape=(n, n)).tocsr()
    return sparse.csr_array(half + half.T)


def averaging(graph: sparse.csr_array) -> sparse.csr_array:
    """``D^-1 W``: multiplying averages over the neighbours; a region without any has an empty row."""
    degree = graph.sum(axis=1)
    inverse = np.divide(1, degree, out=np.zeros_like(degree), where=degree > 0)
    return sparse.csr_array(sparse.diags_array(inverse) @ graph)


def graph_laplacian(graph: sparse.csr_array) -> sparse.csr_array:
    """``D - W``: the matrix of ``x^T (D - W) x = sum_{i~j} w_ij (x_i - x_j)^2``, positive semidefinite."""
    return sparse.csr_array(sparse.diags_array(graph.sum(axis=1)) - graph)


def likeness(superpixels: Superpixels, region_lightness: Float32, scale: float) -> NDArray[np.float64]:
    """``exp(-|L_i - L_j| / scale)`` for every pair in ``superpixels.adjacency``, of the mean L* of the regions."""
    low, high = superpixels.adjacency.T
    step = np.abs(region_lightness[low].astype(np.float64) - region_lightness[high])
    return np.exp(-step / scale)
