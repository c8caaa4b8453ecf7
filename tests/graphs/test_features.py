import numpy as np
import pytest

from keras_fusion.graphs import (
    neighborhood,
    random_walk_position,
    spectral_position,
    symmetric,
)
from tests.conftest import assert_close
from tests.layers.cases import draw

TRIANGLE_AND_PAIR = symmetric(np.array([[0, 1, 2, 3], [1, 2, 0, 4]]))  # 5 is alone


def test_neighborhood():
    x = draw(6, 3)
    mean = neighborhood(x, TRIANGLE_AND_PAIR)
    expected = [(x[1] + x[2]) / 2, (x[0] + x[2]) / 2, (x[0] + x[1]) / 2, x[4], x[3]]
    assert_close(mean[:5], np.stack(expected))
    assert not mean[5].any()


def test_random_walks_back():
    position = random_walk_position(TRIANGLE_AND_PAIR, 6, 3)
    triangle, pair = [0, 0.5, 0.25], [0, 1, 0]
    expected = np.array([triangle] * 3 + [pair] * 2 + [[0, 0, 0]], "float32")
    assert_close(position, expected)


def test_spectral_position_tells_the_parts_of_a_graph_apart():
    rows = spectral_position(TRIANGLE_AND_PAIR, 6, 2)  # one per part with edges
    assert rows.shape == (6, 2) and rows.dtype == np.float32
    assert_close(rows[:3], rows[[1, 2, 0]])
    assert_close(rows[3], rows[4])
    assert np.abs(rows[0] - rows[3]).max() > 0.5
    assert_close(np.square(rows).mean(axis=0), np.ones(2, "float32"))


def test_spectral_position_is_made_of_eigenvectors():
    ring = symmetric(np.stack([np.arange(8), np.roll(np.arange(8), -1)]))
    rows = spectral_position(ring, 8, 3).astype("float64")
    adjacency = np.zeros((8, 8))
    adjacency[ring[1], ring[0]] = 0.5
    values = np.diag(rows.T @ adjacency @ rows) / 8
    assert_close(values, np.cos([0, np.pi / 4, np.pi / 4]))


def test_a_directed_list_has_no_spectral_position():
    with pytest.raises(ValueError, match="directed"):
        spectral_position(np.array([[0, 1], [1, 2]]), 3, 2)


@pytest.mark.parametrize(
    "make",
    [
        lambda edges: neighborhood(draw(3, 2), edges),
        lambda edges: spectral_position(edges, 3, 2),
        lambda edges: random_walk_position(edges, 3, 2),
    ],
)
def test_edges_outside_the_graph(make):
    with pytest.raises(ValueError, match="outside the graph"):
        make(np.array([[0, -1], [-1, 0]]))
