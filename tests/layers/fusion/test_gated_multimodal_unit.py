import numpy as np

from keras_fusion.layers import GatedMultimodalUnit
from tests.conftest import assert_close
from tests.layers.cases import draw, modalities, randomize
from tests.layers.reference import dense, float64, sigmoid


def built(inputs, **config):
    op = GatedMultimodalUnit(**config)
    op(inputs)
    return randomize(op)


def hidden(op, inputs):
    return [np.tanh(dense(d, x)) for d, x in zip(op.hidden, inputs, strict=True)]


def test_two_modalities_share_one_gate():
    inputs = [draw(3, 17), draw(3, 3)]
    op = built(inputs, units=4)
    h = hidden(op, inputs)
    z = sigmoid(dense(op.gate, np.concatenate(inputs, axis=-1)))
    fused, weights = op(inputs, return_weights=True)
    assert_close(fused, z * h[0] + (1 - z) * h[1])
    assert_close(weights, np.stack([z, 1 - z], axis=-1))


def test_more_modalities_have_a_gate_each():
    inputs, there = [draw(3, width) for width in (7, 3, 5)], np.ones((3, 3), bool)
    there[0, 1] = False
    op = built(inputs, units=4)
    seen = [np.where(p[:, None], x, 0) for p, x in zip(there.T, inputs)]
    gates = np.split(sigmoid(dense(op.gate, np.concatenate(seen, axis=-1))), 3, axis=-1)
    terms = zip(there.T, gates, hidden(op, inputs), strict=True)
    expected = sum(np.where(p[:, None], z * h, 0) for p, z, h in terms)
    assert_close(op(inputs, modality_mask=there), expected)


def test_what_is_left_of_two_passes_alone():
    inputs = modalities(2)
    op = built(inputs)
    for left, there in enumerate([[True, False], [False, True]]):
        fused = op(inputs, modality_mask=np.array([there] * 3))
        assert_close(fused, hidden(op, inputs)[left])


def test_closed_gates():
    inputs = modalities(3)
    op = built(inputs)
    op.gate.bias.assign(np.full(op.gate.bias.shape, -1e4))
    assert not float64(op(inputs)).any()
    op = built(inputs[:2])
    op.gate.bias.assign(np.full(op.gate.bias.shape, -1e4))
    assert_close(op(inputs[:2]), hidden(op, inputs[:2])[1])
