"""Cross-diffusion where its shapes are open, and differentiated twice."""

import keras
import pytest
from keras import ops

from keras_fusion.common.gradients import with_gradients
from keras_fusion.ops import cross_diffusion
from tests.conftest import assert_close
from tests.ops.diffusion.diffusion_results import arrays, flat

pytestmark = pytest.mark.usefixtures("small_blocks")


@pytest.mark.only_on("tensorflow", reason="whose graphs may leave tokens open")
@pytest.mark.parametrize("compiled", [False, True])
def test_a_graph_may_leave_the_number_of_tokens_open(compiled):
    import tensorflow as tf

    def value_and_gradients(leaves, **arguments):
        with tf.GradientTape() as tape:
            tape.watch(leaves)
            parts = (tf.unstack(x) for x in leaves)
            found = flat(*cross_diffusion(*parts, steps=2, **arguments))
            value = sum(tf.reduce_mean(y**2) for y in found)
        return value, *tape.gradient(value, leaves)

    open_ended = [tf.TensorSpec((2, 2, 2, None, 4))] * 3
    graph = tf.function(value_and_gradients, [open_ended], jit_compile=compiled)
    for tokens in (11, 5):
        leaves = [tf.constant(x) for x in arrays(2, (2, 2, tokens, 4))]
        expected = value_and_gradients(leaves, implementation="dense")
        for y, y_0 in zip(graph(leaves), expected, strict=True):
            assert_close(y, y_0)


def test_second_derivatives_of_blocks_are_refused():
    """Some of their terms would lack, which nothing else would say."""

    def slope(leaves):
        parts = [ops.unstack(x, 2, axis=0) for x in leaves]
        found = flat(*cross_diffusion(*parts, implementation="blockwise"))
        return sum(ops.sum(ops.square(y)) for y in found)

    def steepness(leaves):
        return sum(ops.sum(ops.square(g)) for g in inner_gradient(slope, leaves)), ()

    with pytest.raises(NotImplementedError, match="first derivatives only"):
        with_gradients(steepness)(arrays(2, (1, 1, 11, 4)))


def inner_gradient(function, leaves):
    """The gradient of `function`, to be differentiated once more."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(function)(leaves)
    if keras.backend.backend() == "torch":
        import torch

        return torch.autograd.grad(function(leaves), leaves, create_graph=True)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(leaves)
        value = function(leaves)
    return tape.gradient(value, leaves)
