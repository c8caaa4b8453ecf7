import numpy as np
import pytest

from keras_fusion.layers import ModalityTransformer
from tests.conftest import assert_close
from tests.layers import reference
from tests.layers.cases import modalities, randomize, some_absent
from tests.layers.reference import dense, float64, gelu, layer_norm


def built(inputs, **config):
    op = ModalityTransformer(**config)
    op(inputs)
    return randomize(op)


def oracle(op, inputs, there=None):
    """The streams of vectors, `(B, M, U)`, by the formula."""
    first, second = op.norms
    x = float64(np.stack(inputs, axis=1))

    def attend(x):
        return reference.attention(
            op.attention, list(np.moveaxis(x, 1, 0)), there=there
        )

    def feed(x):
        return dense(op.mlp[1], gelu(dense(op.mlp[0], x)))

    if op.normalize_first:
        y = x + attend(layer_norm(first, x))
        return y + feed(layer_norm(second, y))
    y = layer_norm(first, x + attend(x))
    return layer_norm(second, y + feed(y))


@pytest.mark.parametrize("normalize_first", [True, False])
@pytest.mark.parametrize("readout", ["sum", "mean", "max", None])
def test_numbers(normalize_first, readout):
    inputs, there = modalities(shape=(3, 4)), some_absent(3)
    op = built(
        inputs,
        num_heads=2,
        readout=readout,
        normalize_first=normalize_first,
        modality_embedding=True,
    )
    fused = op(inputs, modality_mask=there)
    streams = oracle(op, [x[:2] for x in inputs], there)
    for b in range(2):  # nothing is present in the third
        (present,) = np.nonzero(there[b])
        if readout is None:
            found = np.stack([float64(z[b]) for z in fused])
            assert_close(found[present], streams[b, present])
        else:
            pooling = {"sum": np.sum, "mean": np.mean, "max": np.max}[readout]
            assert_close(fused[b], pooling(streams[b, present], axis=0))


def test_a_block_that_adds_nothing_is_the_identity():
    inputs = modalities()
    op = built(inputs, readout=None)
    for weight in (*op.attention.output_dense.weights, *op.mlp[1].weights):
        weight.assign(np.zeros(weight.shape))
    for z, x in zip(op(inputs), inputs, strict=True):
        assert_close(z, x)


def test_streams_follow_the_order_of_the_modalities():
    inputs = modalities()
    op = built(inputs, num_heads=2, readout=None)
    for z, back in zip(op(inputs), op(inputs[::-1])[::-1], strict=True):
        assert_close(z, back)


def test_blocks_stack():
    inputs, there = modalities(), some_absent(3)
    first, last = built(inputs, readout=None), built(inputs)
    streams = first(inputs, modality_mask=there)
    expected = oracle(last, [float64(z[:2, 0]) for z in streams], there[:2])
    fused = float64(last(streams, modality_mask=there))
    for b in range(2):
        assert_close(fused[b, 0], expected[b, there[b]].mean(axis=0))


def test_dropout_acts_in_training_alone():
    inputs = modalities()
    op = built(inputs, dropout=0.5, seed=1)
    plain = op(inputs)
    assert_close(op(inputs, training=False), plain)
    assert not np.allclose(
        float64(op(inputs, training=True)), float64(plain), atol=1e-3
    )
