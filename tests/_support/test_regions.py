"""The graph of the regions, against loops over its edges."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from colorize._support.regions import averaging, graph_laplacian, region_graph
from colorize.features.superpixels import from_labels

LABEL_MAPS = hnp.arrays(np.int64, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(-3, 6))


@given(LABEL_MAPS, st.integers(0, 9))
def test_the_graph_of_the_regions_is_that_of_loops_over_its_edges(labels, seed):
    regions = from_labels(labels)
    n = regions.n_superpixels
    ties = np.random.default_rng(seed).uniform(0.1, 3, len(regions.adjacency))
    weights = np.zeros((n, n))
    for (low, high), tie in zip(regions.adjacency, ties, strict=True):
        weights[low, high] = weights[high, low] = tie
    graph = region_graph(regions, ties)
    np.testing.assert_array_equal(graph.toarray(), weights)
    values = np.random.default_rng(seed + 1).normal(size=n)
    steps = values[regions.adjacency[:, 0]] - values[regions.adjacency[:, 1]]
    energy = (ties * steps**2).sum()
    # 1e-12: float64 sums of a few numbers of size 1
    assert abs(values @ graph_laplacian(graph) @ values - energy) < 1e-12 * (1 + energy)
    averages = averaging(graph)
    for k in range(n):
        expected = np.average(values, weights=weights[k]) if weights[k].any() else 0
        assert abs((averages @ values)[k] - expected) < 1e-12


def test_without_weights_all_ties_of_the_graph_are_one_and_a_tie_of_nothing_is_none():
    row = from_labels(np.array([[0, 1, 2]]))
    assert region_graph(row).toarray().tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    assert region_graph(row, np.array([0, 1])).nnz == 2
