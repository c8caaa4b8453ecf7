import keras
import numpy as np
import pytest

from keras_fusion.layers import ModalityAttention
from keras_fusion.ops import attention
from tests.conftest import assert_close
from tests.layers import reference
from tests.layers.cases import draw, modalities, query_for, randomize, some_absent
from tests.layers.reference import float64, softmax

READOUTS = ("sum", "mean", "max", "token", "query", "node", None)
each_readout = pytest.mark.parametrize("readout", READOUTS)


def built(inputs, **config):
    op = ModalityAttention(**config)
    op(inputs, **query_for(op, inputs))
    return randomize(op)


def stacked(fused):
    return (
        np.stack([float64(z) for z in fused], 1) if isinstance(fused, list) else fused
    )


@each_readout
@pytest.mark.parametrize("transform", ["shared", "position"])
@pytest.mark.parametrize("embedding", [False, True], ids=["", "embedding"])
@pytest.mark.parametrize("num_heads", [1, 2])
def test_numbers(readout, transform, embedding, num_heads):
    inputs = modalities(shape=(3, 4))
    op = built(
        inputs,
        num_heads=num_heads,
        readout=readout,
        transform=transform,
        modality_embedding=embedding,
    )
    query, there = query_for(op, inputs), some_absent(3)
    assert_close(stacked(op(inputs, **query)), reference.attention(op, inputs, **query))
    part = {name: q[:2] for name, q in query.items()}  # nothing is in the third sample
    expected = reference.attention(op, [x[:2] for x in inputs], **part, there=there)
    assert_close(stacked(op(inputs, modality_mask=there, **query))[:2], expected)


@each_readout
@pytest.mark.parametrize("transform", ["shared", "position"])
def test_unrolled_and_batched_forms_agree(readout, transform, monkeypatch):
    inputs, there = modalities(shape=(3, 4)), some_absent(3)
    op = built(inputs, num_heads=2, readout=readout, transform=transform)
    call = query_for(op, inputs) | {"modality_mask": there, "return_weights": True}
    unrolled, weights = op(inputs, **call)
    monkeypatch.setattr(attention, "UNROLLED", 0)
    batched, same_weights = op(inputs, **call)
    assert_close(stacked(batched), float64(stacked(unrolled)))
    assert_close(same_weights, weights)


@pytest.mark.parametrize("count", [3, 6])
def test_bare_it_is_the_formula(count):
    inputs = modalities(count, (3, 4))
    op = built(inputs, readout=None, use_bias=False, output_projection=False)
    x = float64(np.stack(inputs, axis=1))  # (B, M, D)
    kernels = (op.query_kernels, op.key_kernels, op.value_kernels)
    q, k, v = (x @ float64(kernel) for (kernel,) in kernels)
    weights = softmax(q @ np.swapaxes(k, 1, 2) / np.sqrt(4))
    fused, found = op(inputs, return_weights=True)
    assert_close(stacked(fused), weights @ v)
    assert_close(found, weights[:, None])


@pytest.mark.parametrize("count", [3, 6])
def test_equals_keras_multi_head_attention(count):
    inputs = modalities(count, (3, 4))
    op = built(inputs, num_heads=2, key_dim=3, readout=None)
    theirs = keras.layers.MultiHeadAttention(num_heads=2, key_dim=3)
    x = np.stack(inputs, axis=1)
    theirs(x, x)
    parts = {
        "query": (op.query_kernels[0], op.query_bias),
        "key": (op.key_kernels[0], draw(6)),  # any key bias: it cancels
        "value": (op.value_kernels[0], op.value_bias),
    }
    for name, (kernel, bias) in parts.items():
        layer = getattr(theirs, f"_{name}_dense")
        layer.kernel.assign(float64(kernel).reshape(4, 2, 3))
        layer.bias.assign(float64(bias).reshape(2, 3))
    theirs._output_dense.kernel.assign(float64(op.output_dense.kernel).reshape(2, 3, 4))
    theirs._output_dense.bias.assign(op.output_dense.bias)
    expected, scores = theirs(x, x, return_attention_scores=True)
    fused, weights = op(inputs, return_weights=True)
    assert_close(stacked(fused), expected)
    assert_close(weights, scores)


def test_a_token_that_is_no_key_is_a_learned_query():
    inputs = modalities(shape=(3, 4))
    token = built(inputs, readout="token", transform="position")
    query = built(inputs, readout="query", transform="position")
    for name in ("query_kernels", "key_kernels", "value_kernels"):
        for ours, other in zip(getattr(token, name)[::-1], getattr(query, name)[::-1]):
            ours.assign(other)
    for name in ("learned_query", "query_bias", "value_bias"):
        getattr(token, name).assign(getattr(query, name))
    for ours, other in zip(token.output_dense.weights, query.output_dense.weights):
        ours.assign(other)
    with_token, expected = float64(token(inputs)), query(inputs)
    assert not np.allclose(with_token, float64(expected), atol=1e-3)
    t = float64(token.learned_query)[0]
    q = t @ float64(token.query_kernels[0]) + float64(token.query_bias)
    token.key_kernels[0].assign(-1e4 * np.outer(t / (t @ t), q / (q @ q)))
    assert_close(token(inputs), expected)  # its logit for itself is now -5000


@each_readout
@pytest.mark.parametrize("count", [3, 6])
def test_the_order_has_no_influence(readout, count):
    inputs, order = modalities(count), np.roll(range(count), 1)
    op = built(inputs, num_heads=2, readout=readout)
    query = query_for(op, inputs)
    fused = op(inputs, **query)
    permuted = op([inputs[m] for m in order], **query)
    if readout is None:
        fused, permuted = stacked([fused[m] for m in order]), stacked(permuted)
    assert_close(permuted, fused)


def test_embeddings_and_own_transforms_tell_the_modalities_apart():
    inputs = modalities()
    for config in ({"modality_embedding": True}, {"transform": "position"}):
        op = built(inputs, **config)
        there, back = float64(op(inputs)), float64(op(inputs[::-1]))
        assert not np.allclose(there, back, atol=1e-2)


def test_dropout_acts_in_training_alone():
    inputs = modalities()
    op = built(inputs, dropout=0.5, seed=1)
    plain = op(inputs)
    assert_close(op(inputs, training=False), plain)
    assert not np.allclose(
        float64(op(inputs, training=True)), float64(plain), atol=1e-3
    )
