import numpy as np
import pytest
from keras import ops

from keras_fusion.ops.presence import Presence
from keras_fusion.ops.tokens import (
    attend,
    join_heads,
    modality_shares,
    pool_tokens,
    split_heads,
    token_spans,
)
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import draw
from tests.layers.reference import float64, softmax

KEPT = np.array([[1, 1, 0, 1, 1], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0]], bool)


@pytest.mark.parametrize("drop", [None, lambda weights: weights], ids=["", "plain"])
@pytest.mark.parametrize("masked", [False, True])
def test_attention_by_either_way(masked, drop):
    """Without dropout torch goes its own way; a row without a key gives zeros."""
    queries, keys, values = (
        draw(3, 2, t, 4, seed=s) for s, t in enumerate((3, 5, 5), start=1)
    )
    kept = ops.convert_to_tensor(KEPT[..., None]) if masked else None
    parts = [ops.convert_to_tensor(x) for x in (queries, keys, values)]
    received, weigh = attend(*parts, kept, drop)
    logits = float64(queries) @ float64(keys).swapaxes(-1, -2) / 2
    if masked:
        logits = np.where(KEPT[:, None, None], logits, -1e30)
    weights = softmax(logits)
    if masked:
        weights = weights * KEPT[:, None, None]
    assert_close(weigh(), weights)
    assert_close(received, weights @ float64(values))


def test_heads_are_split_and_joined():
    x = draw(3, 5, 6)
    heads = split_heads(ops.convert_to_tensor(x), 2)
    assert_close(heads, np.stack([x[..., :3], x[..., 3:]], axis=1))
    assert_close(join_heads(heads), x)


def test_shares_by_modality():
    weights = draw(3, 2, 4, 5)
    spans = token_spans([draw(3, 2, 4), draw(3, 3, 4)])
    assert spans == [(0, 2), (2, 5)]
    first, second = modality_shares(ops.convert_to_tensor(weights), spans)
    assert_close(first, weights[..., :2].sum(axis=-1))
    assert_close(second, weights[..., 2:].sum(axis=-1))


@pytest.mark.parametrize("readout", ["mean", "max"])
def test_all_tokens_present_are_pooled_together(readout):
    streams = [draw(3, 2, 4), draw(3, 3, 4, seed=2)]
    kept = np.split(KEPT, [2], axis=1)
    tokens = np.concatenate(streams, axis=1)
    pooling = getattr(np, readout)
    assert_close(pool_tokens(streams, Presence(), readout), pooling(tokens, axis=1))
    present = Presence([ops.convert_to_tensor(k[..., None]) for k in kept])
    pooled = to_numpy(pool_tokens(streams, present, readout))
    for b in range(2):
        assert_close(pooled[b], pooling(tokens[b, KEPT[b]], axis=0))
    assert np.all(pooled[2] == (0 if readout == "mean" else -np.inf))


def test_many_tokens_in_float16():
    ones = ops.cast(ops.ones((1, 70000, 1)), "float16")
    assert to_numpy(pool_tokens([ones], Presence())) == 1  # their sum is no float16


@pytest.mark.only_on("torch", reason="its fused attention is used there alone")
def test_a_mask_of_whole_samples_is_spread_over_the_keys(monkeypatch):
    """CUDA's fused attention refuses one whose last axis is repeated."""
    masks = []
    attention = ops.dot_product_attention

    def record(*arguments, mask):
        masks.append(mask)
        return attention(*arguments, mask=mask)

    monkeypatch.setattr(ops, "dot_product_attention", record)
    x = ops.ones((2, 3, 5, 4))
    attend(x, x, x, ops.ones((2, 1, 1), dtype="bool"))
    assert tuple(masks[0].shape) == (2, 1, 1, 5)
    assert masks[0].stride()[-1] == 1
