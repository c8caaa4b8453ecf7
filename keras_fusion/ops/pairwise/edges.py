"""Every node of a graph with those that have an edge to it."""

from keras import ops

from keras_fusion.ops.diffusion.affinity import constant
from keras_fusion.ops.pairwise.all import require_normalizer
from keras_fusion.ops.pairwise.segments import gather, indices, segment_max, segment_sum


def pairwise_edges(
    queries,
    keys,
    values,
    edge_index,
    edge_weight=None,
    affinity=constant,
    normalize="degree",
    loops=True,
    dropout=None,
):
    """`y_i = 1/C_i sum_j f(q_i, k_j) v_j` over the edges j -> i, and over i itself.

    Nothing larger than one row per edge is made, and sums run in float32. An edge that
    is listed twice counts twice. An isolated node is left with itself, or without
    `loops` with zeros. Edges are not looked into: `keras_fusion.graphs.check_edges`
    finds those that point outside the graph.

    Args:
        queries, keys: `(n, N, h)`, n nodes, N heads.
        values: `(n, N, u)`.
        edge_index: `(2, E)` integers, rows source j and target i.
        edge_weight: `(E,)`, multiplies f, or None. With a constant f it is the
            adjacency matrix.
        affinity: f, from `keras_fusion.ops.diffusion.affinity`.
        normalize: C: `"softmax"`, `"mean"` (over the edges to i), `"degree"`
            (`sqrt(d_i d_j)`, d the sum of f over the edges to a node; zero where d is
            not positive) or None.
        loops: Whether every node without a listed edge to itself has one of weight 1.
        dropout: Function that drops some of the weights f, or None.

    Returns:
        `(n, N, u)` in the dtype of the values.
    """
    require_normalizer(normalize, "softmax", "mean", "degree", None)
    source, target = indices(edge_index)
    count = ops.shape(values)[0]
    alone = _without_loop(source, target, count) if loops else None
    own = ops.ones_like(values[..., :1], dtype="float32")  # of the edge to itself
    weights = None  # of the edges, all ones
    if affinity is not constant:
        weights = _each(affinity, gather(queries, target), gather(keys, source))
        own = _each(affinity, queries, keys)
    if normalize == "softmax":
        weights, own = _exponentials(weights, own, target, count, loops)
    if loops:
        own = own * alone
    if edge_weight is not None:
        there = ops.cast(edge_weight, "float32")[:, None, None]
        weights = there if weights is None else weights * there
    if normalize is not None:
        total = _total(normalize, weights, own, alone, target, count)
        scale = _power(total, -0.5 if normalize == "degree" else -1.0)
    if normalize == "degree":
        values = values * ops.cast(scale, values.dtype)
    messages = gather(values, source)  # (E, N, u)
    if dropout is not None:
        weights, own = dropout(weights), dropout(own)
    if weights is not None:
        messages = messages * ops.cast(weights, values.dtype)
    mixed = segment_sum(messages, target, count)
    if loops:
        mixed = mixed + own * ops.cast(values, "float32")
    mixed = mixed if normalize is None else mixed * scale
    return ops.cast(mixed, values.dtype)


def _without_loop(source, target, count):
    """1 at the nodes without a listed edge to themselves, 0 elsewhere: `(n, 1, 1)`."""
    listed = segment_sum(ops.cast(source == target, "float32"), target, count)
    return ops.cast(listed == 0, "float32")[:, None, None]


def _each(affinity, queries, keys):
    """f of rows that belong together: `(E, N, h)` twice to `(E, N, 1)`."""
    return affinity(queries[..., None, :], keys[..., None, :])[..., 0]


def _exponentials(logits, own, target, count, loops):
    """Exponentials that no logit makes overflow: a softmax before it is divided."""
    if logits is None:
        return None, own
    top = segment_max(ops.stop_gradient(logits), target, count)
    top = ops.stop_gradient(ops.maximum(top, own) if loops else top)
    return ops.exp(logits - gather(top, target)), ops.exp(own - top)


def _total(normalize, weights, own, alone, target, count):
    """C, or for "degree" d: `(n, N, 1)` float32, zero where there is nothing."""
    if weights is None or normalize == "mean":
        weights = ops.ones_like(target, dtype="float32")[:, None, None]
        own = alone
    total = segment_sum(weights, target, count)
    return total if alone is None else total + own


def _power(x, exponent):
    """`x ** exponent` where x is positive, zero elsewhere."""
    power = ops.power(ops.where(x > 0, x, 1.0), exponent)
    return ops.where(x > 0, power, 0.0)
