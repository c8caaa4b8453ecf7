"""Attention from token to token: the weights of it, and masks of pairs."""

import numpy as np
import pytest
from keras import ops

from keras_fusion.layers import (
    CrossAttention,
    GatedCrossAttention,
    JointAttention,
    LatentAttention,
    ModalityAttention,
)
from keras_fusion.ops import causal_mask
from tests.conftest import assert_close, to_numpy
from tests.layers import reference
from tests.layers.cases import draw
from tests.layers.reference import float64
from tests.layers.token_sets import built

COUNTS = 3, 2
TOKENS = [draw(2, count, 4, seed=count) for count in COUNTS]
same = pytest.mark.only_on("torch", reason="no backend changes what is summed")


def alone(op, m, x):
    """Queries, keys and values of one sample of modality m."""
    return reference.normed_heads(op.heads[m], float64(x))


def test_weights_of_tokens_are_those_of_the_formula():
    op = built(JointAttention, TOKENS, num_heads=2)
    _, found = op(TOKENS, return_weights="tokens")
    tokens = [float64(x) + float64(op.embeddings)[m] for m, x in enumerate(TOKENS)]
    tokens = np.concatenate(tokens, axis=1)[1]
    queries, keys, values = reference.normed_heads(op.heads, tokens)
    _, expected = reference.token_attention(queries, keys, values, 2)
    assert_close(found[1], expected)


def test_who_asks_others_has_no_weight_on_itself():
    op = built(CrossAttention, TOKENS, num_heads=2)
    found = to_numpy(op(TOKENS, return_weights="tokens")[1])[0]  # (N, T, T)
    (q0, k0, v0), (q1, k1, v1) = (alone(op, m, x[0]) for m, x in enumerate(TOKENS))
    assert not found[:, :3, :3].any() and not found[:, 3:, 3:].any()
    assert_close(found[:, :3, 3:], reference.token_attention(q0, k1, v1, 2)[1])
    assert_close(found[:, 3:, :3], reference.token_attention(q1, k0, v0, 2)[1])


@same
@pytest.mark.parametrize(
    ("operator", "asking"),
    [(JointAttention, 5), (GatedCrossAttention, 3), (LatentAttention, 8)],
)
def test_summed_by_modality_they_are_the_raw_weights(operator, asking):
    op = built(operator, TOKENS)
    there = np.array([[True, True], [False, True]])
    tokens, weights = (
        to_numpy(op(TOKENS, modality_mask=there, return_weights=how)[1])
        for how in ("tokens", True)
    )
    assert tokens.shape == (2, 1, asking, 5)
    sums = [tokens[..., :3].sum(axis=-1), tokens[..., 3:].sum(axis=-1)]
    assert_close(weights, np.stack(sums, axis=-1))
    assert not tokens[1, ..., :3].any()


@pytest.mark.parametrize("operator", [JointAttention, CrossAttention])
def test_a_causal_mask_hides_what_comes_later(operator):
    op = built(operator, TOKENS, readout=None)
    mask = causal_mask(COUNTS)
    later = [x.copy() for x in TOKENS]
    later[0][:, 2, 0] += 1
    later[1][:, 1, 1] -= 1
    seen, free = (
        [[to_numpy(z) for z in op(inputs, **call)] for inputs in (TOKENS, later)]
        for call in ({"attention_mask": mask}, {})
    )
    for (before, after), moves in ((seen, False), (free, True)):
        moved = np.abs(before[0][:, :1] - after[0][:, :1]).max() > 1e-6
        assert moved == moves
        assert (np.abs(before[1][:, :1] - after[1][:, :1]).max() > 1e-6) == moves


@pytest.mark.parametrize("operator", [JointAttention, CrossAttention])
def test_a_pair_has_weight_where_the_mask_allows_it(operator):
    pairs = np.random.default_rng(1).random((2, 5, 5)) < 0.5
    _, weights = built(operator, TOKENS)(
        TOKENS, attention_mask=pairs, return_weights="tokens"
    )
    first = np.arange(5) < 3
    asked = first[:, None] != first if operator is CrossAttention else True
    np.testing.assert_array_equal(to_numpy(weights)[:, 0] > 0, pairs & asked)
    assert to_numpy(causal_mask([2, 1])).tolist() == [[[1, 0, 1], [1, 1, 1], [1, 0, 1]]]


def test_sets_that_may_not_see_each_other_are_as_if_alone():
    """With a mask of padding beside the mask of pairs."""
    op = built(JointAttention, TOKENS, readout=None)
    own = np.arange(5) < 3
    pairs = np.tile(own[:, None] == own, (2, 1, 1))
    kept = [np.array([[True, True, False]] * 2), None]
    first, second = op(TOKENS, attention_mask=pairs, mask=kept)
    single = built(JointAttention, TOKENS[:1], readout=None)
    for weight, other in zip(single.weights[1:], op.weights[1:], strict=True):
        weight.assign(other)
    for m, (stream, mask) in enumerate(zip((first, second), kept)):
        single.embeddings.assign(op.embeddings[m : m + 1])
        (expected,) = single([TOKENS[m]], mask=None if mask is None else [mask])
        assert_close(stream, expected)


@same
def test_what_has_none_says_so():
    with pytest.raises(ValueError, match="no weights from token to token"):
        ModalityAttention()([draw(2, 4)] * 2, return_weights="tokens")
    with pytest.raises(ValueError, match="LatentAttention takes no attention_mask"):
        LatentAttention()(TOKENS, attention_mask=causal_mask(COUNTS))
    with pytest.raises(ValueError, match=r"attention_mask of shape \(1, 5, 5\)"):
        JointAttention()(TOKENS, attention_mask=ops.ones((1, 4, 4), dtype="bool"))
    with pytest.raises(ValueError, match="to be bool, True = present"):
        JointAttention()(TOKENS, attention_mask=ops.ones((1, 5, 5)))
