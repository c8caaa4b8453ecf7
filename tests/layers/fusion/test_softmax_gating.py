import numpy as np

from keras_fusion.layers import SoftmaxGating
from tests.conftest import assert_close
from tests.layers.cases import modalities, randomize, some_absent
from tests.layers.reference import dense, float64, softmax


def built(inputs, **config):
    op = SoftmaxGating(**config)
    op(inputs)
    return randomize(op)


def test_numbers():
    inputs, there = modalities(), some_absent(3)
    op = built(inputs)
    seen = [np.where(p[:, None, None], x, 0) for p, x in zip(there.T, inputs)]
    logits = dense(op.gate, float64(np.concatenate(seen, axis=-1)))  # (B, T, M)
    fused, weights = op(inputs, modality_mask=there, return_weights=True)
    for b in range(2):
        masked = np.where(there[b], logits[b], -np.inf)
        assert_close(weights[b], softmax(masked))
        expected = sum(softmax(masked)[:, m, None] * x[b] for m, x in enumerate(seen))
        assert_close(fused[b], expected)


def test_every_weight_sees_every_modality():
    inputs = modalities()
    op = built(inputs)
    _, before = op(inputs, return_weights=True)
    _, after = op([*inputs[:2], inputs[2] + 1], return_weights=True)
    assert np.all(np.abs(float64(before) - float64(after)) > 1e-6)


def test_without_kernel_it_is_the_mean():
    inputs = modalities()
    op = SoftmaxGating(kernel_initializer="zeros")
    assert_close(op(inputs), np.mean(inputs, axis=0))


def test_one_modality_passes():
    (x,) = modalities(1)
    assert_close(built([x])([x]), x)
