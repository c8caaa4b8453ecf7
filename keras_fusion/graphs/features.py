"""Further modalities of a node, made from the graph: numpy in, numpy out.

Each checks the edges as `check_edges` does.
"""

import numpy as np

from keras_fusion.graphs.edges import check_edges


def neighborhood(x, edge_index) -> np.ndarray:
    """Mean of the neighbors' features; zeros where a node has no neighbor.

    Args:
        x: `(n, D)`.
        edge_index: `(2, E)` integers, rows source and target.

    Returns:
        `(n, D)` float32.
    """
    source, target = check_edges(edge_index, len(x))
    total = np.zeros(x.shape, "float32")
    np.add.at(total, target, x[source])
    return total / np.maximum(np.bincount(target, minlength=len(x)), 1)[:, None]


def spectral_position(
    edge_index, num_nodes: int, width: int, regularization: float = 0.0
) -> np.ndarray:
    """Coordinates in which neighbors are close: eigenvectors of the graph's Laplacian.

    Those of the `width` largest eigenvalues of `D^-1/2 A D^-1/2`, the constant one of
    a connected graph included, times `sqrt(n)`. Their signs are arbitrary. Dense, so
    for graphs of some thousand nodes.

    Args:
        edge_index: `(2, E)` integers, in both directions.
        regularization: Share of the mean degree that every node is tied to all nodes
            with. Without it each part of a graph that falls into parts has a
            coordinate of its own, and many small parts leave none for the large one.

    Returns:
        `(n, width)` float32.

    References: Belkin and Niyogi, 2003, Laplacian Eigenmaps. Qin and Rohe, 2013,
    Regularized Spectral Clustering under the Degree-Corrected Stochastic Blockmodel.
    """
    edge_index = check_edges(edge_index, num_nodes, symmetric=True)
    adjacency = np.zeros((num_nodes, num_nodes), "float32")
    np.add.at(adjacency, (edge_index[1], edge_index[0]), 1)
    adjacency += regularization * adjacency.sum() / num_nodes**2
    root = np.maximum(adjacency.sum(axis=1), 1) ** -0.5
    _, vectors = np.linalg.eigh(root[:, None] * adjacency * root)
    return (vectors[:, ::-1][:, :width] * num_nodes**0.5).astype("float32")


def random_walk_position(edge_index, num_nodes: int, steps: int) -> np.ndarray:
    """How likely a random walk is back where it began after 1, 2, ... steps.

    Takes a row of `num_nodes` numbers per edge, so it is for graphs of some thousand
    nodes.

    Args:
        edge_index: `(2, E)` integers, rows source and target.

    Returns:
        `(n, steps)` float32; zeros where a node has no neighbor.

    Reference: Dwivedi et al., 2022, Graph Neural Networks with Learnable Structural and
    Positional Representations.
    """
    edges = check_edges(edge_index, num_nodes)
    source, target = edges[:, np.argsort(edges[1], kind="stable")]
    share = (1 / np.bincount(source)[source])[:, None].astype("float32")
    heard, first = np.unique(target, return_index=True)
    power, back = np.eye(num_nodes, dtype="float32"), []
    for _ in range(steps):
        moved = np.add.reduceat(power[source] * share, first)
        power = np.zeros_like(power)
        power[heard] = moved
        back.append(np.diagonal(power).copy())
    return np.stack(back, axis=1)
