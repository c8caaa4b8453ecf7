"""Graph layers: dense formulas, torch_geometric with the same weights, odd graphs."""

import numpy as np
import pytest
from keras import ops

from keras_fusion.graphs import symmetric
from keras_fusion.layers import (
    GraphAttention,
    GraphConvolution,
    SimpleGraphConvolution,
)
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import draw, randomize
from tests.layers.reference import float64, softmax

NODES = draw(6, 4)
# Node 5 is isolated; 3 -> 4 is there in one direction only.
EDGES = np.array([[0, 1, 2, 0, 3, 1], [1, 0, 1, 2, 4, 2]], "int32")
WEIGHT = np.array([0.5, 2.0, 0.25, 1.5, 3.0, 1.0], "float32")


def built(layer, *extra):
    layer(NODES, EDGES, *extra)
    return randomize(layer)


def adjacency(weight=None):
    """By target and source, with a loop at every node."""
    dense = np.eye(6)
    dense[EDGES[1], EDGES[0]] = 1 if weight is None else weight
    return dense


def normalized(dense):
    root = dense.sum(axis=1) ** -0.5
    return root[:, None] * dense * root


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["ones", "weighted"])
def test_graph_convolution_is_the_dense_formula(weight):
    extra = [] if weight is None else [weight]
    layer = built(GraphConvolution(3), *extra)
    expected = normalized(adjacency(weight)) @ NODES @ float64(layer.kernel)
    assert_close(layer(NODES, EDGES, *extra), expected + float64(layer.bias))


def test_simple_graph_convolution_is_the_dense_formula():
    layer = built(SimpleGraphConvolution(3, hops=3))
    step = normalized(adjacency())
    expected = step @ step @ step @ NODES @ float64(layer.kernel)
    assert_close(layer(NODES, EDGES), expected + float64(layer.bias))


def test_one_hop_is_graph_convolution():
    one = built(SimpleGraphConvolution(3, hops=1))
    other = built(GraphConvolution(3))
    other.set_weights(one.get_weights())
    assert_close(one(NODES, EDGES), to_numpy(other(NODES, EDGES)))


@pytest.mark.parametrize("merge", ["concatenate", "mean"])
@pytest.mark.parametrize("affinity", ["gat", "gatv2"])
def test_graph_attention_is_the_formula_node_by_node(affinity, merge):
    config = {"num_heads": 2, "affinity": affinity, "merge": merge}
    layer = built(GraphAttention(4, **config))
    width = layer.head_dim
    values = (NODES @ float64(layer.kernel)).reshape(6, 2, width)
    there = adjacency().astype(bool)
    mixed = np.zeros((6, 2, width))
    for i, n in np.ndindex(6, 2):
        logits = []
        for j in np.flatnonzero(there[i]):
            if affinity == "gat":
                pair = float64(layer.target_kernel)[n] @ values[i, n]
                pair += float64(layer.source_kernel)[n] @ values[j, n]
                logits.append(leaky(pair))
            else:
                mine = (NODES[i] @ float64(layer.target_kernel)).reshape(2, -1)[n]
                hidden = leaky(mine + values[j, n])
                logits.append(float64(layer.affinity_kernel)[n] @ hidden)
        mixed[i, n] = softmax(np.array(logits)) @ values[there[i], n]
    expected = mixed.mean(axis=1) if merge == "mean" else mixed.reshape(6, -1)
    assert_close(layer(NODES, EDGES), expected + float64(layer.bias))


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


@pytest.mark.parametrize(
    "layer", [GraphConvolution(3), SimpleGraphConvolution(3), GraphAttention(3)]
)
def test_an_isolated_node_is_left_with_itself(layer):
    built(layer)
    expected = NODES[5] @ float64(layer.kernel) + float64(layer.bias)
    assert_close(layer(NODES, EDGES)[5], expected)


def test_no_edges_at_all():
    layer = built(GraphAttention(4, num_heads=2))
    nothing = np.zeros((2, 0), "int32")
    expected = NODES @ float64(layer.kernel) + float64(layer.bias)
    assert_close(layer(NODES, nothing), expected)


def test_only_targets_hear_of_their_sources():
    layer = built(GraphAttention(3))
    before = to_numpy(layer(NODES, EDGES))
    after = to_numpy(
        layer(np.concatenate([NODES[:3], NODES[3:4] + 1, NODES[4:]]), EDGES)
    )
    assert (np.abs(after - before).max(axis=1) > 1e-4).tolist() == [
        *[False] * 3,
        *[True] * 2,
        False,
    ]


def test_dropout_drops_edges_in_training_only():
    layer = built(GraphAttention(3, dropout=0.5, seed=1))
    plain = to_numpy(layer(NODES, EDGES))
    assert_close(layer(NODES, EDGES, training=False), plain)
    drawn = [to_numpy(layer(NODES, EDGES, training=True)) for _ in range(2)]
    assert not np.allclose(drawn[0], drawn[1])


@pytest.mark.parametrize(
    "edges, message",
    [
        (EDGES.T, r"\(2, E\) of integers.*received \(6, 2\) of int32: transpose it"),
        (EDGES.astype("float32"), "received .* of float32"),
        (EDGES[0], r"received \(6,\)"),
    ],
)
def test_edges_that_are_none(edges, message):
    with pytest.raises(ValueError, match=message):
        GraphConvolution(3)(NODES, edges)


def test_weights_that_are_not_one_per_edge():
    with pytest.raises(ValueError, match="one for each of the 6 edges"):
        GraphConvolution(3)(NODES, EDGES, WEIGHT[:4])


def test_heads_share_the_units():
    with pytest.raises(ValueError, match="units=5 among num_heads=2"):
        GraphAttention(5, num_heads=2)


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize("make", [GraphConvolution, GraphAttention])
def test_a_hub_does_not_overflow_in_float16(make):
    """The sum of 3000 neighbors does; what it is normalized to fits."""
    leaves = np.arange(1, 3001)
    star = symmetric(np.stack([np.zeros_like(leaves), leaves]))
    nodes = np.full((3001, 1), 100.0, "float32")
    config = {"units": 1, "kernel_initializer": "ones"}
    found = to_numpy(make(**config, dtype="mixed_float16")(nodes, star))
    expected = to_numpy(make(**config)(nodes, star))
    assert expected.max() < 1e4
    np.testing.assert_allclose(found, expected, rtol=1e-2)


def geometric(name, *args, edges=EDGES, **kwargs):
    nn = pytest.importorskip("torch_geometric.nn", reason="it is not installed")
    import torch

    layer = getattr(nn, name)(*args, **kwargs)
    edges = torch.from_numpy(edges).long()

    def call(*extra):
        with torch.no_grad():
            extra = [torch.from_numpy(x) for x in extra]
            return layer(torch.from_numpy(NODES), edges, *extra).numpy()

    return layer, call


def copy(pairs):
    import torch

    with torch.no_grad():
        for theirs, ours in pairs:
            theirs.copy_(torch.from_numpy(to_numpy(ours)).reshape(theirs.shape))


LOOP = np.where(EDGES[1] == 4, 1, EDGES)  # 1 -> 1 in place of 3 -> 4
each_list = pytest.mark.parametrize("edges", [EDGES, LOOP], ids=["plain", "loop"])


@each_list
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["ones", "weighted"])
def test_torch_geometrics_gcn(weight, edges):
    extra = [] if weight is None else [weight]
    ours = built(GraphConvolution(3), *extra)
    theirs, call = geometric("GCNConv", 4, 3, edges=edges)
    copy([(theirs.lin.weight, ops.transpose(ours.kernel)), (theirs.bias, ours.bias)])
    assert_close(ours(NODES, edges, *extra), call(*extra))


def test_torch_geometrics_sgc():
    ours = built(SimpleGraphConvolution(3, hops=2))
    theirs, call = geometric("SGConv", 4, 3, K=2)
    kernel = ops.transpose(ours.kernel)
    copy([(theirs.lin.weight, kernel), (theirs.lin.bias, ours.bias)])
    assert_close(ours(NODES, EDGES), call())


@each_list
@pytest.mark.parametrize("merge", ["concatenate", "mean"])
def test_torch_geometrics_gat(merge, edges):
    ours = built(GraphAttention(4, num_heads=2, merge=merge))
    concat = merge == "concatenate"
    config = {"heads": 2, "concat": concat, "edges": edges}
    theirs, call = geometric("GATConv", 4, 2 if concat else 4, **config)
    pairs = [(theirs.lin.weight, ops.transpose(ours.kernel)), (theirs.bias, ours.bias)]
    pairs += [
        (theirs.att_src, ours.source_kernel),
        (theirs.att_dst, ours.target_kernel),
    ]
    copy(pairs)
    assert_close(ours(NODES, edges), call())


def test_torch_geometrics_gatv2():
    ours = built(GraphAttention(4, num_heads=2, affinity="gatv2"))
    theirs, call = geometric("GATv2Conv", 4, 2, heads=2)
    copy(
        [
            (theirs.lin_l.weight, ops.transpose(ours.kernel)),
            (theirs.lin_l.bias, np.zeros(4, "float32")),
            (theirs.lin_r.weight, ops.transpose(ours.target_kernel)),
            (theirs.lin_r.bias, np.zeros(4, "float32")),
            (theirs.att, ours.affinity_kernel),
            (theirs.bias, ours.bias),
        ]
    )
    assert_close(ours(NODES, EDGES), call())
