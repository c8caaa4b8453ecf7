"""One formula, three neighborhoods: each by numpy, and each equal to the others."""

import itertools

import numpy as np
import pytest
from keras import ops

from keras_fusion.ops import pairwise_all, pairwise_edges, pairwise_window
from keras_fusion.ops.diffusion.affinity import constant, dot_product, gat, gatv2
from tests.conftest import assert_close
from tests.layers.cases import draw
from tests.layers.reference import softmax

HEADS = 2


def by_formula(logits, values, neighbors, normalize):
    """`(P, P)` logits, `(P, u)` values, `(P, P)` bool: one position at a time."""
    mixed = []
    for f, there in zip(logits, neighbors, strict=True):
        f, seen = f[there], values[there]
        if normalize == "softmax":
            f = softmax(f)
        elif normalize == "mean":
            f = f / there.sum()
        mixed.append(f @ seen)
    return np.stack(mixed)


def parts(positions, width=4):
    """Queries, keys, values `(P, N, ...)`, and the logits `(N, P, P)`."""
    queries, keys = draw(positions, HEADS, width), draw(positions, HEADS, width, seed=2)
    values = draw(positions, HEADS, 3, seed=3)
    logits = np.einsum("inh,jnh->nij", queries.astype("float64"), keys)
    return queries, keys, values, logits


def heads_last(x):
    return np.moveaxis(x, 0, 1)


each_rule = pytest.mark.parametrize("normalize", ["softmax", "mean", None])


@each_rule
def test_all(normalize):
    queries, keys, values, logits = parts(5)
    expected = [
        by_formula(logits[n], values[:, n], np.ones((5, 5), bool), normalize)
        for n in range(HEADS)
    ]
    mixed = pairwise_all(
        *(ops.swapaxes(x, 0, 1) for x in (queries, keys, values)), normalize=normalize
    )
    assert_close(mixed, np.stack(expected))


@each_rule
@pytest.mark.parametrize("size, window", [((6,), (3,)), ((6,), (4,)), ((3, 4), (2, 3))])
def test_window(size, window, normalize):
    queries, keys, values, logits = parts(int(np.prod(size)))
    places = np.array(list(itertools.product(*map(range, size))))
    offset = places[None] - places[:, None]  # from i to j
    first = -((np.array(window) - 1) // 2)
    inside = ((offset >= first) & (offset < first + window)).all(axis=-1)
    expected = np.stack(
        [by_formula(logits[n], values[:, n], inside, normalize) for n in range(HEADS)]
    )
    shaped = [
        ops.convert_to_tensor(x.reshape(1, *size, HEADS, -1))
        for x in (queries, keys, values)
    ]
    mixed = pairwise_window(*shaped, window, normalize=normalize)
    assert_close(mixed, heads_last(expected).reshape(1, *size, HEADS, 3))


@each_rule
@pytest.mark.parametrize("loops", [True, False])
def test_edges(normalize, loops):
    queries, keys, values, logits = parts(5)
    # 4 is isolated; the loop of 1 is listed, and with `loops` counts once.
    edges = np.array([[0, 1, 2, 2, 3, 1], [1, 0, 1, 3, 2, 1]])
    there = np.eye(5, dtype=bool) & loops
    there[edges[1], edges[0]] = True
    seeing = there.any(axis=1)  # an isolated node without loop is left with zeros
    expected = np.zeros((HEADS, 5, 3))
    for n in range(HEADS):
        rows = logits[n][seeing], values[:, n], there[seeing]
        expected[n, seeing] = by_formula(*rows, normalize)
    tensors = [ops.convert_to_tensor(x) for x in (queries, keys, values)]
    mixed = pairwise_edges(
        *tensors,
        ops.convert_to_tensor(edges),
        affinity=dot_product,
        normalize=normalize,
        loops=loops,
    )
    assert_close(mixed, heads_last(expected))


@pytest.mark.parametrize("loops", [True, False])
def test_degree(loops):
    values = draw(4, 1, 3)
    adjacency = np.zeros((4, 4))  # by target and source
    edges = np.array([[0, 1, 2, 1], [1, 0, 1, 2]])
    weight = np.array([0.5, 2.0, 0.25, 1.5], "float32")
    adjacency[edges[1], edges[0]] = weight
    adjacency += np.eye(4) * loops
    degree = adjacency.sum(axis=1)
    root = np.divide(1, np.sqrt(degree), where=degree > 0, out=np.zeros(4))
    expected = root[:, None] * adjacency * root @ values[:, 0]
    x = ops.convert_to_tensor(values)
    mixed = pairwise_edges(
        x,
        x,
        x,
        ops.convert_to_tensor(edges),
        ops.convert_to_tensor(weight),
        loops=loops,
    )
    assert_close(mixed[:, 0], expected)


def test_a_graph_with_all_edges_is_attention_to_all():
    queries, keys, values, _ = parts(5)
    tensors = [ops.convert_to_tensor(x) for x in (queries, keys, values)]
    edges = np.argwhere(~np.eye(5, dtype=bool)).T
    mixed = pairwise_edges(
        *tensors,
        ops.convert_to_tensor(edges),
        affinity=dot_product,
        normalize="softmax",
    )
    everything = pairwise_all(*(ops.swapaxes(x, 0, 1) for x in tensors))
    assert_close(mixed, ops.convert_to_numpy(ops.swapaxes(everything, 0, 1)))


def test_a_chain_is_a_window_of_three():
    queries, keys, values, _ = parts(6)
    tensors = [ops.convert_to_tensor(x) for x in (queries, keys, values)]
    steps = np.stack([np.arange(5), np.arange(1, 6)])
    edges = np.concatenate([steps, steps[::-1]], axis=1)
    mixed = pairwise_edges(
        *tensors,
        ops.convert_to_tensor(edges),
        affinity=dot_product,
        normalize="softmax",
    )
    window = pairwise_window(*(x[None] for x in tensors), (3,))
    assert_close(mixed, ops.convert_to_numpy(window[0]))


@pytest.mark.parametrize("mix", [pairwise_all, pairwise_window, pairwise_edges])
def test_a_normalizer_that_there_is_not(mix):
    x = draw(1, 4, 1, 3)
    beside = {pairwise_window: [(3,)], pairwise_edges: [np.array([[0], [1]])]}
    with pytest.raises(ValueError, match=r"one of \['softmax', .*received 'sofmax'"):
        mix(x, x, x, *beside.get(mix, []), normalize="sofmax")


def test_large_logits_do_not_overflow():
    x = ops.convert_to_tensor(100 * draw(4, 1, 8))
    edges = ops.convert_to_tensor(np.array([[0, 1, 2], [1, 0, 1]]))
    mixed = pairwise_edges(x, x, x, edges, affinity=dot_product, normalize="softmax")
    assert np.isfinite(ops.convert_to_numpy(mixed)).all()


def test_affinities():
    queries, keys = draw(HEADS, 3, 4), draw(HEADS, 5, 4, seed=2)
    vector = draw(HEADS, 4, seed=3)
    pairs = queries[:, :, None] + keys[:, None]  # (N, I, J, h)
    leaky = np.where(pairs > 0, pairs, 0.2 * pairs)
    tensors = [ops.convert_to_tensor(x) for x in (queries, keys)]
    expected = np.einsum("nijh,nh->nij", leaky.astype("float64"), vector)
    assert_close(gatv2(*tensors, vector=ops.convert_to_tensor(vector)), expected)
    assert_close(gat(*(x[..., :1] for x in tensors)), leaky[..., 0])
    assert_close(constant(*tensors), np.ones((HEADS, 3, 5)))
