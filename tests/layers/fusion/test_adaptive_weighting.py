import numpy as np
import pytest

from keras_fusion.layers import AdaptiveWeighting
from tests.conftest import assert_close
from tests.layers.cases import draw, modalities, randomize, some_absent
from tests.layers.reference import dense, float64, gelu, sigmoid, softmax

GATES = {
    None: lambda w: w,
    "sigmoid": sigmoid,
    "softmax": lambda w: softmax(w, axis=0),
}


def built(inputs, **config):
    op = AdaptiveWeighting(**config)
    op(inputs)
    return randomize(op)


def mlp(layers, x):
    return dense(layers[1], gelu(dense(layers[0], x)))


@pytest.mark.parametrize("gate", GATES)
def test_numbers(gate):
    inputs, there = [draw(3, 17), draw(3, 3, seed=2), draw(3, 5)], some_absent(3)
    op = built(inputs, units=4, intermediate_dim=6, gate=gate)
    values = np.stack([mlp(*layers_x) for layers_x in zip(op.values, inputs)])
    raw = np.stack([mlp(*layers_x) for layers_x in zip(op.weightings, values)])
    assert_close(op(inputs), np.sum(values * GATES[gate](raw), axis=0))
    fused, weights = op(inputs, modality_mask=there, return_weights=True)
    (present,) = np.nonzero(there[0])
    gated = GATES[gate](raw[present, 0])
    assert_close(fused[0], np.sum(values[present, 0] * gated, axis=0))
    assert_close(np.moveaxis(float64(weights[0]), -1, 0)[present], gated)


@pytest.mark.parametrize("shape", [(3, 2, 2, 4), (3, 2, 2, 2, 4)])
def test_maps_are_weighted_by_their_global_mean(shape):
    inputs = modalities(shape=shape)
    op = built(inputs, gate="softmax")
    axes = tuple(range(1, len(shape) - 1))
    means = [float64(x).mean(axis=axes, keepdims=True) for x in inputs]
    raw = np.stack([mlp(*layers_x) for layers_x in zip(op.weightings, means)])
    assert_close(op(inputs), np.sum(inputs * softmax(raw, axis=0), axis=0))


def test_tokens_are_weighted_one_by_one():
    inputs = modalities()
    op = built(inputs, gate="sigmoid")
    alone = op([x[:, :1] for x in inputs])
    assert_close(op(inputs)[:, :1], float64(alone))


def test_one_modality_passes_the_softmax():
    (x,) = modalities(1)
    assert_close(built([x], gate="softmax")([x]), x)


def test_without_a_gate_the_weights_start_at_one():
    inputs = modalities()
    op = AdaptiveWeighting(kernel_initializer="zeros")
    assert_close(op(inputs), np.sum(inputs, axis=0))
