import numpy as np
import pytest

from keras_fusion.graphs import check_edges, is_symmetric, symmetric

DIRECTED = np.array([[0, 1, 1, 2, 2], [1, 0, 2, 2, 0]])


def test_symmetric():
    edges = symmetric(DIRECTED)
    assert edges.tolist() == [[1, 2, 0, 2, 0, 1], [0, 0, 1, 1, 2, 2]]
    assert is_symmetric(edges) and not is_symmetric(DIRECTED)
    assert symmetric(edges).tolist() == edges.tolist()


def test_good_edges_pass():
    edges = check_edges(symmetric(DIRECTED), 3, symmetric=True)
    assert edges.dtype == np.int32
    assert check_edges(DIRECTED, 3).tolist() == DIRECTED.tolist()


@pytest.mark.parametrize("wrong", [-1, 3])
def test_edges_that_point_outside(wrong):
    edges = DIRECTED.copy()
    edges[1, 3] = wrong
    message = f"nodes are 0 to 2, but edge 3 goes from 2 to {wrong} \\(1 such edges\\)"
    with pytest.raises(ValueError, match=message):
        check_edges(edges, 3)


def test_a_directed_list_where_symmetric_is_meant():
    with pytest.raises(ValueError, match=r"directed.*graphs\.symmetric\(edge_index\)"):
        check_edges(DIRECTED, 3, symmetric=True)


@pytest.mark.parametrize("edges", [DIRECTED.T, DIRECTED * 1.0, DIRECTED[0]])
def test_no_edge_list(edges):
    with pytest.raises(ValueError, match=r"Expected edge_index \(2, E\) of integers"):
        check_edges(edges, 3)
