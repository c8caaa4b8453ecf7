"""Padding has no influence on what is kept, and a sample of padding alone no NaN."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion.layers import (
    JointAttention,
    ResidualMLP,
    TokenAttention,
    TokenConvolution,
    TokenPooling,
)
from tests.conftest import assert_close, to_numpy

TOKENS = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")
MASK = np.arange(5) < np.array([[5], [2], [0]])
NOISE = np.where(MASK[..., None], TOKENS, np.nan).astype("float32")


@pytest.mark.parametrize(
    "layer", [TokenAttention(2), TokenConvolution(3), TokenPooling()]
)
def test_padding_changes_nothing(layer):
    expected = to_numpy(layer(TOKENS, mask=MASK))
    assert np.isfinite(expected).all() and (expected[2] == 0).all()
    assert_close(layer(NOISE, mask=MASK), expected)


@pytest.mark.parametrize("layer", [TokenAttention(2), TokenConvolution(3)])
def test_a_shorter_batch_gives_the_same_tokens(layer):
    long = to_numpy(layer(TOKENS[1:2], mask=MASK[1:2]))
    assert_close(layer(TOKENS[1:2, :2]), long[:, :2])


@pytest.mark.parametrize("mask", [None, MASK])
def test_attention_is_that_of_one_modality_without_its_embedding(mask):
    layer = TokenAttention(2)
    layer.build(TOKENS.shape)
    rng = np.random.default_rng(1)
    weights = [rng.normal(size=w.shape) for w in layer.weights]
    layer.set_weights(weights)
    joint = JointAttention(num_heads=2, readout=None)
    joint.build([TOKENS.shape])
    joint.set_weights([np.zeros((1, 4)), *weights])
    masks = None if mask is None else [mask]
    assert_close(layer(TOKENS, mask=mask), joint([TOKENS], mask=masks)[0])


def test_attention_asks_for_a_width_that_its_heads_divide():
    with pytest.raises(ValueError, match=r"multiple of num_heads=3; .*\(3, 5, 4\)"):
        TokenAttention(3)(TOKENS)


def test_pooling_is_mean_and_maximum():
    pooled = TokenPooling()(TOKENS, mask=MASK)[1]
    kept = TOKENS[1, :2]
    assert_close(pooled, np.concatenate([kept.mean(0), kept.max(0)]))


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_a_text_encoder_trains_with_rows_that_have_no_text(dtype):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((5,), dtype="int32"),
            keras.layers.Embedding(9, 4, mask_zero=True, dtype=dtype),
            TokenConvolution(dtype=dtype),
            ResidualMLP(dtype=dtype),
            TokenPooling(dtype=dtype),
            keras.layers.Dense(1, dtype="float32"),
        ]
    )
    model.compile("sgd", "mse")
    tokens = np.array([[1, 2, 3, 0, 0], [0, 0, 0, 0, 0]], "int32")
    before = [to_numpy(w) for w in model.trainable_weights]
    model.fit(tokens, np.array([[1.0], [3.0]]), verbose=0)
    after = [to_numpy(w) for w in model.trainable_weights]
    assert all(np.isfinite(w).all() for w in after)
    moved = [(a != b).any() for a, b in zip(before, after)]
    assert all(moved), [w.path for w, m in zip(model.trainable_weights, moved) if not m]


def test_a_residual_mlp_with_a_silent_output_is_the_identity():
    layer = ResidualMLP(8)
    layer.build((None, 4))
    layer.second.kernel.assign(ops.zeros((8, 4)))
    assert_close(layer(TOKENS), TOKENS)
