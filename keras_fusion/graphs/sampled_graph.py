"""Parts of a graph that does not fit: some nodes and a sample of what reaches them."""

import keras
import numpy as np

from keras_fusion.graphs.edges import check_edges
from keras_fusion.graphs.full_graph import check_weights, count_nodes, counted, weigh


class SampledGraph(keras.utils.PyDataset):
    """Batches of nodes with the neighbourhood that their outputs depend on.

    From a batch of nodes the edges are followed backwards, hop by hop, at most so many
    to each node. What was met becomes a small graph, in which only the batch's own
    nodes have a sample weight, as in `FullGraph`. It is padded with nodes and edges
    that reach nobody to powers of two, so that a compiler sees few shapes.

    With all neighbours kept, outputs are those of the full graph where there are as
    many hops as graph layers; GCN and SGC need one more, since an edge's weight there
    takes the number of edges to its source.

    Args:
        inputs, edge_index, labels, edge_weight, symmetric: As for `FullGraph`.
        nodes: `(n,)` bool, the nodes to make batches of, or None (all).
        neighbours: For each hop how many edges to a node are kept, None = all.
        batch_size: Nodes in a batch, before their neighbours.
        seed: Of the order and of the samples, which differ from epoch to epoch.

    Reference: Hamilton, Ying and Leskovec, 2017, Inductive Representation Learning on
    Large Graphs.
    """

    def __init__(
        self,
        inputs: dict,
        edge_index,
        labels,
        nodes=None,
        *,
        neighbours=(10, 10),
        batch_size: int = 128,
        seed: int = 0,
        edge_weight=None,
        symmetric: bool = True,
    ):
        super().__init__()
        count = count_nodes(inputs, labels, nodes)
        self.edges = check_edges(edge_index, count, symmetric)
        self.edge_weight = None
        if edge_weight is not None:
            self.edge_weight = check_weights(edge_weight, self.edges)
        self.inputs = {name: np.asarray(x) for name, x in inputs.items()}
        counting = np.ones(count, bool) if nodes is None else np.asarray(nodes)
        self.labels = counted(labels, counting)
        self.nodes = np.flatnonzero(counting)
        self.neighbours = _hops(neighbours)
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0
        self.incoming = np.argsort(self.edges[1], kind="stable")  # edges by target
        self.starts = np.searchsorted(
            self.edges[1][self.incoming], np.arange(count + 1)
        )

    def __len__(self):
        return -(-len(self.nodes) // self.batch_size)

    def __getitem__(self, index):
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.nodes)
        batch = order[index * self.batch_size :][: self.batch_size]
        rng = np.random.default_rng([self.seed, self.epoch, index])
        nodes, edges = self._reach(batch, rng)
        return self._graph(batch, nodes, edges)

    def on_epoch_end(self):
        self.epoch += 1

    def _reach(self, batch, rng):
        """Nodes, those of the batch first, and edges that were met."""
        nodes, frontier, met = [batch], batch, []
        seen = np.zeros(len(self.labels), bool)
        seen[batch] = True
        for most in self.neighbours:
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

    def _graph(self, batch, nodes, edges):
        rows = _power_of_two(len(nodes) + 1)  # one node at least is padding
        place = np.zeros(len(self.labels), "int32")
        place[nodes] = np.arange(len(nodes))
        inputs = {name: _padded(x[nodes], rows) for name, x in self.inputs.items()}
        columns = _power_of_two(len(edges))
        index = np.full((2, columns), rows - 1, "int32")
        index[:, : len(edges)] = place[self.edges[:, edges]]
        inputs["edge_index"] = index
        if self.edge_weight is not None:
            inputs["edge_weight"] = _padded(self.edge_weight[edges], columns)
        weight = weigh(np.arange(rows) < len(batch))
        return inputs, _padded(self.labels[nodes], rows), weight


def _hops(neighbours):
    hops = tuple(neighbours)
    if any(most is not None and most < 1 for most in hops) or not hops:
        raise ValueError(
            "Expected neighbours to say for each hop how many edges are kept, at least "
            f"1, or None for all; received {neighbours!r}."
        )
    return hops


def _power_of_two(size):
    return 1 << max(0, int(size) - 1).bit_length()


def _padded(x, rows):
    return np.concatenate([x, np.zeros((rows - len(x), *x.shape[1:]), x.dtype)])
