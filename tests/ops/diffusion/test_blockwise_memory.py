"""That blockwise cross-diffusion never holds T x T numbers, in training neither."""

import keras
import pytest
from keras import ops

from keras_fusion.common.gradients import with_gradients
from keras_fusion.ops import cross_diffusion
from keras_fusion.ops.diffusion import blocks
from tests.layers.cases import draw

TOKENS = 64


def step(implementation, form):
    """A function of queries, keys and values, to the sum of all that comes of them."""

    def function(leaves):
        attended, messages = cross_diffusion(
            *(ops.unstack(x, 2, axis=0) for x in leaves),
            implementation=implementation,
            form=form,
            steps=2,
        )
        found = [*attended, messages[0][1], messages[1][0]]
        return sum(ops.sum(ops.square(y)) for y in found), ()

    return function


def largest(function, arrays):
    """The numbers in the largest tensor that value and gradients make on their way."""
    sizes = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
    return max(sizes[keras.backend.backend()](function, arrays))


def _jax(function, arrays):
    import jax
    from jax.extend.core import jaxprs_in_params

    def walk(jaxpr):
        for equation in jaxpr.eqns:
            yield from (x.aval.size for x in equation.outvars)
            for inner in jaxprs_in_params(equation.params):
                yield from walk(inner)

    gradient = jax.grad(lambda x: function(x)[0])
    return walk(jax.make_jaxpr(gradient)(arrays).jaxpr)


def _torch(function, arrays):
    from torch.utils import _pytree
    from torch.utils._python_dispatch import TorchDispatchMode

    sizes = []

    class Recording(TorchDispatchMode):
        def __torch_dispatch__(self, call, types, args=(), kwargs=None):
            results = call(*args, **(kwargs or {}))
            sizes.extend(
                x.numel() for x in _pytree.tree_leaves(results) if hasattr(x, "numel")
            )
            return results

    with Recording():
        with_gradients(function)(arrays)
    return sizes


def _tensorflow(function, arrays):
    import tensorflow as tf

    @tf.function
    def gradient(*leaves):
        with tf.GradientTape() as tape:
            tape.watch(leaves)
            value, _ = function(leaves)
        return tape.gradient(value, leaves)

    graph = gradient.get_concrete_function(*map(tf.constant, arrays)).graph
    shapes = [x.shape for op in graph.get_operations() for x in op.outputs]
    for inner in graph.as_graph_def(add_shapes=True).library.function:
        for node in inner.node_def:
            listed = node.attr["_output_shapes"].list.shape
            shapes += [tf.TensorShape(x) for x in listed]
    return [s.num_elements() for s in shapes]  # all are known


@pytest.mark.parametrize("form", ["paper", "released"])
def test_no_tensor_has_a_number_for_every_two_tokens(form, monkeypatch):
    four_rows = 4 * 2 * 4 * TOKENS
    monkeypatch.setattr(blocks, "block_bytes", lambda: four_rows)
    arrays = list(draw(3, 2, 1, 1, TOKENS, 4))
    assert largest(step("blockwise", form), arrays) < TOKENS**2
    assert largest(step("dense", form), arrays) >= TOKENS**2
    if keras.backend.backend() == "torch":  # on a CPU JAX has but plain attention
        assert largest(step("fused", form), arrays) < TOKENS**2
