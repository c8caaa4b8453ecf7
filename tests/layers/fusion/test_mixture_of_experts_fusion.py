import keras
import numpy as np
import pytest

from keras_fusion.layers import MixtureOfExpertsFusion
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import draw
from tests.layers.reference import dense, float64, gelu, softmax
from tests.layers.token_sets import built

THERE = np.array([[1, 1, 1], [1, 0, 1], [0, 1, 0], [0, 0, 0]], bool)


def vectors():
    return [draw(4, width, seed=m) for m, width in enumerate((5, 3, 4))]


def routing(op, inputs, b):
    """What a sample has side by side, its probabilities and its experts."""
    x = np.concatenate([float64(v[b]) * p for v, p in zip(inputs, THERE[b])])
    gates = softmax(dense(op.router, np.append(x, THERE[b])))
    return x, gates, np.argsort(-gates)[: op.top_k]


@pytest.mark.parametrize("top_k", [1, 2, 4])
def test_numbers(top_k):
    inputs = vectors()
    op = built(MixtureOfExpertsFusion, inputs, units=6, top_k=top_k, intermediate_dim=3)
    fused = op(inputs, modality_mask=THERE)
    for b in range(3):
        x, gates, chosen = routing(op, inputs, b)
        hidden = gelu(dense(op.hidden, x))
        experts = [
            dense(o, hidden[3 * e : 3 * e + 3]) for e, o in enumerate(op.outputs)
        ]
        assert_close(fused[b], sum(gates[e] * experts[e] for e in chosen))


def test_the_loss_of_load_balancing():
    inputs = vectors()
    op = built(MixtureOfExpertsFusion, inputs, units=6, balance=0.5)
    op(inputs, modality_mask=THERE)
    assert not op.losses
    op(inputs, modality_mask=THERE, training=True)
    shares, probabilities = np.zeros(4), np.zeros(4)
    for b in range(3):  # the last sample has nothing
        _, gates, chosen = routing(op, inputs, b)
        probabilities += gates / 3
        shares[chosen] += 1 / 6
    (loss,) = op.losses
    assert_close(loss, np.float64(0.5 * 4 * shares @ probabilities))


def test_the_loss_is_least_where_experts_are_used_alike():
    inputs = vectors()
    op = built(MixtureOfExpertsFusion, inputs, units=6, balance=1.0, top_k=4)
    op(inputs, training=True)
    assert_close(op.losses[0], np.float64(1.0))  # all experts of all samples
    skewed = built(MixtureOfExpertsFusion, inputs, units=6, balance=1.0, top_k=1)
    skewed.router.bias.assign([50.0, 0, 0, 0])
    skewed(inputs, training=True)
    assert_close(skewed.losses[0], np.float64(4.0))


def test_what_is_absent_moves_the_choice():
    inputs = vectors()
    op = built(MixtureOfExpertsFusion, inputs, units=6, top_k=1)
    kernel = np.zeros((15, 4))
    kernel[-3, 0], kernel[-2, 1] = 40.0, 80.0  # by the flags of the first two
    op.router.set_weights([kernel, np.zeros(4)])
    op.outputs[0].set_weights([np.zeros((6, 6)), np.ones(6)])
    op.outputs[1].set_weights([np.zeros((6, 6)), np.full(6, 2.0)])
    found = to_numpy(op(inputs, modality_mask=THERE))[:3]
    assert_close(found.round(), np.repeat([[2.0], [1.0], [2.0]], 6, axis=1))


def test_fit_adds_the_loss():
    inputs = vectors()
    symbols = [keras.Input(x.shape[1:]) for x in inputs]
    op = MixtureOfExpertsFusion(units=2, balance=100.0)
    model = keras.Model(symbols, op(symbols))
    model.compile("sgd", "mse")
    history = model.fit(inputs, np.zeros((4, 2)), verbose=0)
    plain = model.evaluate(inputs, np.zeros((4, 2)), verbose=0)
    assert history.history["loss"][0] > 50 > plain
