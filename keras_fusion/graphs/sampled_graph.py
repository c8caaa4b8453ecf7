"""Parts of a graph that does not fit: some nodes and a sample of what reaches them."""

from collections.abc import Sequence

import keras
import numpy as np

from keras_fusion.common.names import EDGE_INDEX, EDGE_WEIGHT
from keras_fusion.graphs.edges import check_edges
from keras_fusion.graphs.full_graph import check_weights, count_nodes, counted


class SampledGraph(keras.utils.PyDataset):
    """Batches of nodes with the neighborhood that their outputs depend on.

    From a batch of nodes the edges are followed backwards, hop by hop, at most so many
    to each node. What was met becomes a small graph, in which only the batch's own
    nodes have a sample weight. All batches are padded, with nodes and edges that reach
    nobody, to the most that any could need: a compiler sees one shape, and since every
    node of every batch has the same weight, loss and `weighted_metrics` of an epoch are
    means over the nodes, however the last batch comes out. A batch's own loss is its
    nodes' sum, divided by the mean size of a batch.

    With all neighbors kept, outputs are those of the full graph where there are as
    many hops as graph layers; GCN and SGC need one more, since an edge's weight there
    takes the number of edges to its source.

    Args:
        inputs, edge_index, edge_weight, symmetric: As for `FullGraph`.
        labels: `(n,)`, or None to predict: nodes come in their order then, and
            `predict` puts the batches together.
        nodes: `(n,)` bool, the nodes to make batches of, or None (all).
        neighbors: For each hop how many edges to a node are kept, None = all.
        batch_size: Nodes in a batch, before their neighbors.
        seed: Of the order and of the samples, which differ from epoch to epoch.

    Reference: Hamilton, Ying and Leskovec, 2017, Inductive Representation Learning on
    Large Graphs.
    """

    def __init__(
        self,
        inputs: dict,
        edge_index: np.ndarray,
        labels: np.ndarray | None = None,
        nodes: np.ndarray | None = None,
        *,
        neighbors: Sequence[int] = (10, 10),
        batch_size: int = 128,
        seed: int = 0,
        edge_weight: np.ndarray | None = None,
        symmetric: bool = True,
    ):
        super().__init__()
        self.count = count_nodes(inputs, labels, nodes)
        self.edges = check_edges(edge_index, self.count, symmetric)
        self.edge_weight = None
        if edge_weight is not None:
            self.edge_weight = check_weights(edge_weight, self.edges)
        self.inputs = {name: np.asarray(x) for name, x in inputs.items()}
        counting = np.ones(self.count, bool) if nodes is None else np.asarray(nodes)
        self.labels = None if labels is None else counted(labels, counting)
        self.nodes = np.flatnonzero(counting)
        self.neighbors = _hops(neighbors)
        self.batch_size = min(batch_size, len(self.nodes))
        self.seed = seed
        self.incoming = np.argsort(self.edges[1], kind="stable")  # edges by target
        self.starts = np.searchsorted(
            self.edges[1][self.incoming], np.arange(self.count + 1)
        )
        self.rows, self.columns = self._most()
        self._begin(0)

    def __len__(self):
        return -(-len(self.nodes) // self.batch_size)

    def __getitem__(self, index):
        batch = self.order[index * self.batch_size :][: self.batch_size]
        rng = np.random.default_rng([self.seed, self.epoch, index])
        nodes, edges = self._reach(batch, rng)
        inputs = self._graph(nodes, edges)
        if self.labels is None:
            return (inputs,)
        weight = (np.arange(self.rows) < len(batch)).astype("float32")
        weight *= self.rows * len(self) / len(self.nodes)
        return inputs, _padded(self.labels[nodes], self.rows), weight

    def on_epoch_end(self):
        if self.labels is not None:
            self._begin(self.epoch + 1)

    def predict(self, model: keras.Model) -> np.ndarray:
        """The model's outputs `(n', ...)` at the n' nodes, in the order of the graph.

        Raises:
            ValueError: If there are labels, with which nodes come in any order.
        """
        if self.labels is not None:
            raise ValueError("To predict, make the SampledGraph with labels=None.")
        padded = model.predict(self, verbose=0)
        batches = padded.reshape(len(self), self.rows, *padded.shape[1:])
        own = batches[:, : self.batch_size].reshape(-1, *padded.shape[1:])
        return own[: len(self.nodes)]

    def _begin(self, epoch):
        self.epoch, self.order = epoch, self.nodes
        if self.labels is not None:
            rng = np.random.default_rng([self.seed, epoch])
            self.order = rng.permutation(self.nodes)

    def _most(self):
        """Rows and columns that no batch exceeds: the best connected, at every hop."""
        degrees = np.sort(np.diff(self.starts))[::-1]
        rows = frontier = self.batch_size
        columns = 0
        for most in self.neighbors:
            met = np.minimum(degrees[:frontier], most or len(self.incoming)).sum()
            frontier = min(met, self.count)
            rows, columns = rows + frontier, columns + met
        # One node at least is padding, where edges go that are.
        return min(rows, self.count) + 1, min(columns, len(self.incoming))

    def _reach(self, batch, rng):
        """Nodes, those of the batch first, and edges that were met."""
        nodes, frontier, met = [batch], batch, []
        seen = np.zeros(self.count, bool)
        seen[batch] = True
        for most in self.neighbors:
            edges = self._sample(frontier, most, rng)
            met.append(edges)
            sources = np.unique(self.edges[0][edges])
            frontier = sources[~seen[sources]]
            seen[frontier] = True
            nodes.append(frontier)
        return np.concatenate(nodes), np.concatenate([np.zeros(0, int), *met])

    def _sample(self, targets, most, rng):
        """At most so many of the edges to each target."""
        first, counts = self.starts[targets], self.starts[targets + 1]
        counts = counts - first
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        edges = self.incoming[np.repeat(first, counts) + within]
        if most is None:
            return edges
        owner = np.repeat(np.arange(len(targets)), counts)
        shuffled = np.lexsort([rng.random(len(edges)), owner])  # within each target
        return edges[shuffled][within < most]

    def _graph(self, nodes, edges):
        place = np.zeros(self.count, "int32")
        place[nodes] = np.arange(len(nodes))
        inputs = {name: _padded(x[nodes], self.rows) for name, x in self.inputs.items()}
        index = np.full((2, self.columns), self.rows - 1, "int32")
        index[:, : len(edges)] = place[self.edges[:, edges]]
        inputs[EDGE_INDEX] = index
        if self.edge_weight is not None:
            inputs[EDGE_WEIGHT] = _padded(self.edge_weight[edges], self.columns)
        return inputs


def _hops(neighbors):
    hops = tuple(neighbors)
    if any(most is not None and most < 1 for most in hops) or not hops:
        raise ValueError(
            "Expected neighbors to say for each hop how many edges are kept, at least "
            f"1, or None for all; received {neighbors!r}."
        )
    return hops


def _padded(x, rows):
    return np.concatenate([x, np.zeros((rows - len(x), *x.shape[1:]), x.dtype)])
