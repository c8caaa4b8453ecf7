"""Edge lists `(2, E)`: rows source and target, an edge from each source to its target.

In numpy, before training: on an accelerator a look into the edges would wait for them.
"""

import numpy as np


def check_edges(edge_index, num_nodes: int, symmetric: bool = False) -> np.ndarray:
    """The edges as `(2, E)` int32; a ValueError unless they are those of a graph.

    Args:
        edge_index: `(2, E)` integers.
        num_nodes: Number of nodes n; they are 0 to n - 1.
        symmetric: Whether every edge must be there in both directions.
    """
    edges = np.asarray(edge_index)
    if edges.ndim != 2 or len(edges) != 2 or edges.dtype.kind not in "iu":
        raise ValueError(
            "Expected edge_index (2, E) of integers, rows source and target; received "
            f"{edges.dtype} of shape {edges.shape}."
        )
    outside = np.flatnonzero(((edges < 0) | (edges >= num_nodes)).any(axis=0))
    if len(outside):
        source, target = edges[:, outside[0]].tolist()
        raise ValueError(
            f"Edges point outside the graph: its {num_nodes} nodes are 0 to "
            f"{num_nodes - 1}, but edge {outside[0]} goes from {source} to {target} "
            f"({len(outside)} such edges)."
        )
    if symmetric and not is_symmetric(edges):
        raise ValueError(
            "The edges are directed: some are there in one direction only. "
            "keras_fusion.graphs.symmetric(edge_index) adds the others; if one "
            "direction is meant, say symmetric=False."
        )
    return edges.astype("int32")


def is_symmetric(edge_index) -> bool:
    """Whether every edge is there in both directions, as often in one as the other."""
    edges = np.asarray(edge_index)
    return np.array_equal(_sorted(edges), _sorted(edges[::-1]))


def symmetric(edge_index) -> np.ndarray:
    """Every edge in both directions, each once, sorted by target, without loops.

    Args:
        edge_index: `(2, E)` integers.

    Returns:
        `(2, E')` in the same dtype.
    """
    edges = np.asarray(edge_index)
    edges = np.concatenate([edges, edges[::-1]], axis=1)
    edges = edges[:, edges[0] != edges[1]]
    return _sorted(np.unique(edges, axis=1))


def _sorted(edges):
    return edges[:, np.lexsort(edges)]  # by target, then by source
