"""Further modalities of a node, made from the graph: numpy in, numpy out."""

import numpy as np


def neighbourhood(x, edge_index) -> np.ndarray:
    """Mean of the neighbours' features; zeros where a node has no neighbour.

    Args:
        x: `(n, D)`.
        edge_index: `(2, E)` integers, rows source and target.

    Returns:
        `(n, D)` float32.
    """
    source, target = edge_index
    total = np.zeros(x.shape, "float32")
    np.add.at(total, target, x[source])
    return total / np.maximum(np.bincount(target, minlength=len(x)), 1)[:, None]


def spectral_position(edge_index, num_nodes: int, width: int) -> np.ndarray:
    """Coordinates in which neighbours are close: eigenvectors of the graph's Laplacian.

    Those of the `width` largest eigenvalues of `D^-1/2 A D^-1/2`, the constant one of
    a connected graph included, times `sqrt(n)`. Their signs are arbitrary. Dense, so
    for graphs of some thousand nodes.

    Args:
        edge_index: `(2, E)` integers, in both directions.

    Returns:
        `(n, width)` float32.

    Reference: Belkin and Niyogi, 2003, Laplacian Eigenmaps.
    """
    adjacency = _dense(edge_index, num_nodes)
    root = np.maximum(adjacency.sum(axis=1), 1) ** -0.5
    _, vectors = np.linalg.eigh(root[:, None] * adjacency * root)
    return (vectors[:, ::-1][:, :width] * num_nodes**0.5).astype("float32")


def random_walk_position(edge_index, num_nodes: int, steps: int) -> np.ndarray:
    """How likely a random walk is back where it began after 1, 2, ... steps.

    Returns:
        `(n, steps)` float32; zeros where a node has no neighbour.

    Reference: Dwivedi et al., 2022, Graph Neural Networks with Learnable Structural and
    Positional Representations.
    """
    walk = _dense(edge_index, num_nodes)
    walk = walk / np.maximum(walk.sum(axis=0), 1)
    power, back = walk, []
    for _ in range(steps):
        back.append(np.diagonal(power).copy())
        power = power @ walk
    return np.stack(back, axis=1)


def _dense(edge_index, num_nodes):
    """The adjacency matrix by target and source, float32."""
    adjacency = np.zeros((num_nodes, num_nodes), "float32")
    np.add.at(adjacency, (edge_index[1], edge_index[0]), 1)
    return adjacency
