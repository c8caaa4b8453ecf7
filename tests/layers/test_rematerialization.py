"""Under `keras.RematScope` an operator is recomputed for gradients, and is the same."""

import contextlib

import keras
import pytest
from keras import tree

from keras_fusion import layers
from tests.conftest import assert_close
from tests.gradients import with_gradients
from tests.layers.cases import WIDTH, each_operator, inputs_for, randomise
from tests.layers.test_contract import probe


def outcome(name, scope):
    """Outputs and gradients of an operator that was made and called in a scope."""
    with scope:
        op = layers.get(name)(units=WIDTH)
        inputs = inputs_for(op, 2)
        op(inputs)
        randomise(op)

        def answer(arrays):
            fused = tree.flatten(op(arrays))
            return probe(fused), fused

        return with_gradients(answer, op.trainable_variables)(inputs)


@each_operator
def test_an_operator_that_is_recomputed_is_the_same(name):
    plain = outcome(name, contextlib.nullcontext())
    recomputed = outcome(name, keras.RematScope(mode="full"))
    for a, b in zip(tree.flatten(recomputed), tree.flatten(plain), strict=True):
        assert_close(a, b)


@pytest.mark.only_on("jax", reason="JAX counts what is recomputed")
def test_it_is_recomputed():
    import jax

    with keras.RematScope(mode="full"):
        op = layers.JointAttention(units=WIDTH)
        inputs = inputs_for(op, 2)
        op(inputs)
        trace = jax.make_jaxpr(lambda xs: op(xs))(inputs)
    assert "remat" in str(trace) or "checkpoint" in str(trace)
