"""The whole graph as one batch."""

import keras
import numpy as np

from keras_fusion.common.names import EDGE_INDEX, EDGE_WEIGHT
from keras_fusion.graphs.edges import check_edges


class FullGraph(keras.utils.PyDataset):
    """One batch: all nodes, all edges, and which nodes count.

    For `model.fit(FullGraph(...))`, `evaluate` and `predict`. Keras refuses plain
    arrays of different length, and a graph has n nodes and E edges. The nodes that do
    not count have sample weight zero, and the others such that the loss is their mean;
    so compile with `weighted_metrics`, not with `metrics`.

    Args:
        inputs: `(n, D)` arrays by modality, and `modality_mask` `(n, M)` where the
            model takes it.
        edge_index: `(2, E)` integers, rows source and target.
        labels: `(n,)`, or None to predict. Those of nodes that do not count may be
            anything, -1 for example.
        nodes: `(n,)` bool, which nodes count, or None (all).
        edge_weight: `(E,)`, or None.
        symmetric: Whether the edges are meant to be there in both directions.

    Raises:
        ValueError: If node counts differ, edges point outside the graph, or an edge
            has no opposite where one is meant.
    """

    def __init__(
        self,
        inputs: dict,
        edge_index: np.ndarray,
        labels: np.ndarray | None = None,
        nodes: np.ndarray | None = None,
        *,
        edge_weight: np.ndarray | None = None,
        symmetric: bool = True,
    ):
        super().__init__()
        count = count_nodes(inputs, labels, nodes)
        edges = check_edges(edge_index, count, symmetric)
        self.inputs = {name: np.asarray(x) for name, x in inputs.items()}
        self.inputs[EDGE_INDEX] = edges
        if edge_weight is not None:
            self.inputs[EDGE_WEIGHT] = check_weights(edge_weight, edges)
        self.sample_weight = weigh(np.ones(count) if nodes is None else nodes)
        self.labels = labels
        if labels is not None:
            self.labels = counted(labels, self.sample_weight)

    def __len__(self):
        return 1

    def __getitem__(self, index):
        if self.labels is None:
            return (self.inputs,)
        return self.inputs, self.labels, self.sample_weight


def count_nodes(inputs, labels=None, nodes=None):
    """The number of nodes that all arrays agree on; a ValueError where they do not."""
    arrays = dict(inputs) | {"labels": labels, "nodes": nodes}
    counts = {name: len(x) for name, x in arrays.items() if x is not None}
    if len(set(counts.values())) != 1:
        raise ValueError(f"All arrays must have one row per node; received {counts}.")
    return next(iter(counts.values()))


def check_weights(edge_weight, edges):
    """The weights as `(E,)` float32; a ValueError unless there is one per edge."""
    weights = np.asarray(edge_weight, "float32")
    if weights.shape != edges.shape[1:]:
        raise ValueError(
            f"Expected edge_weight ({edges.shape[1]},), one per edge; received shape "
            f"{weights.shape}."
        )
    return weights


def weigh(nodes):
    """Sample weights `(n,)` float32 that make a mean over n one over `nodes`."""
    nodes = np.asarray(nodes, "float32")
    return nodes * (len(nodes) / max(nodes.sum(), 1))


def counted(labels, sample_weight):
    """The labels, zero where the weight is: a loss of an unknown class may be NaN."""
    labels = np.asarray(labels)
    if labels.ndim != 1:
        raise ValueError(
            "Expected labels (n,), the class of each node, for a sparse loss; received "
            f"shape {labels.shape}: of one-hot rows take labels.argmax(axis=-1)."
        )
    unknown = np.flatnonzero((labels < 0) & (sample_weight > 0))
    if len(unknown):
        raise ValueError(
            f"Labels must be classes from 0 where nodes count; received "
            f"{labels[unknown[0]]} for node {unknown[0]} ({len(unknown)} such nodes): "
            "leave them out by `nodes`."
        )
    return np.where(sample_weight > 0, labels, np.zeros((), labels.dtype))
