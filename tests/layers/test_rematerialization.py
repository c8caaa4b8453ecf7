"""Under `keras.RematScope` an operator is recomputed for gradients, and is the same."""

import contextlib

import keras
import numpy as np
import pytest
from keras import tree

from keras_fusion import layers
from keras_fusion.common.gradients import with_gradients
from tests.conftest import assert_close, tried_here
from tests.layers.cases import VARIANTS, WIDTH, draw, inputs_for, randomize
from tests.layers.test_contract import probe

OPERATORS = ["CrossDiffusionAttention", "JointAttention", "MixtureOfExpertsFusion"]
OPERATORS += [name for name in VARIANTS if name not in OPERATORS]


def outcome(name, scope):
    """Outputs and gradients of an operator that was made and called in a scope."""
    with scope:
        op = layers.get(name)(units=WIDTH)
        inputs = inputs_for(op, 2)
        op(inputs)
        randomize(op)

        def answer(arrays):
            fused = tree.flatten(op(arrays))
            return probe(fused), fused

        return with_gradients(answer, op.trainable_variables)(inputs)


@pytest.mark.parametrize("name", tried_here(OPERATORS, 3))
def test_an_operator_that_is_recomputed_is_the_same(name):
    plain = outcome(name, contextlib.nullcontext())
    recomputed = outcome(name, keras.RematScope(mode="full"))
    for a, b in zip(tree.flatten(recomputed), tree.flatten(plain), strict=True):
        assert_close(a, b)


@pytest.mark.only_on("jax", "torch", reason="Keras' own Dense fails on TensorFlow")
@pytest.mark.parametrize(
    "name, arguments",
    [
        ("JointAttention", {"dropout": 0.5, "seed": 1}),
        ("MixtureOfExpertsFusion", {"balance": 1.0}),
    ],
)
def test_dropout_and_losses_come_out_of_what_is_recomputed(name, arguments):
    losses = []
    for mode in (None, "full"):
        keras.utils.set_random_seed(0)
        inputs = [keras.Input((3, WIDTH)) for _ in range(2)]
        with keras.RematScope(mode=mode):
            fused = layers.get(name)(units=WIDTH, **arguments)(inputs)
        model = keras.Model(inputs, keras.layers.Flatten()(fused))
        model.compile(keras.optimizers.SGD(0.1), "mse")
        x = [draw(4, 3, WIDTH, seed=seed) for seed in range(2)]
        y = np.ones((4, model.output.shape[-1]))
        losses.append(model.fit(x, y, epochs=3, verbose=0).history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-5)
    assert len(set(losses[0])) == 3


@pytest.mark.only_on("jax", reason="JAX counts what is recomputed")
def test_it_is_recomputed():
    import jax

    with keras.RematScope(mode="full"):
        op = layers.JointAttention(units=WIDTH)
        inputs = inputs_for(op, 2)
        op(inputs)
        trace = jax.make_jaxpr(lambda xs: op(xs))(inputs)
    assert "remat" in str(trace) or "checkpoint" in str(trace)
