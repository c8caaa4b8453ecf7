"""Gradients on whichever backend is active."""

import keras
import numpy as np
from keras import ops


def gradients(function, arrays, variables=()):
    """Derivatives of a scalar function of arrays and of Keras variables.

    Args:
        function: From tensors to a scalar tensor.
        arrays: list of numpy arrays, the arguments.
        variables: Keras variables that `function` reads.

    Returns:
        list of numpy arrays: for each array, then for each variable; zeros where the
        function does not depend on it.
    """
    backward = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
    found = backward[keras.backend.backend()](function, arrays, list(variables))
    return [
        np.zeros(x.shape, "float32") if g is None else ops.convert_to_numpy(g)
        for g, x in zip(found, [*arrays, *variables], strict=True)
    ]


def _tensorflow(function, arrays, variables):
    import tensorflow as tf

    leaves = [*map(tf.convert_to_tensor, arrays), *(v.value for v in variables)]
    with tf.GradientTape() as tape:
        tape.watch(leaves)
        value = function(*leaves[: len(arrays)])
    return tape.gradient(value, leaves)


def _jax(function, arrays, variables):
    import jax

    def pure(arrays, values):
        with keras.StatelessScope(state_mapping=zip(variables, values, strict=True)):
            return function(*arrays)

    arrays = [jax.numpy.asarray(x) for x in arrays]
    grad = jax.grad(pure, argnums=(0, 1))
    return sum(grad(arrays, [v.value for v in variables]), start=[])


def _torch(function, arrays, variables):
    import torch

    inputs = [ops.convert_to_tensor(x).requires_grad_() for x in arrays]
    leaves = [*inputs, *(v.value for v in variables)]
    value = function(*inputs)
    return torch.autograd.grad(value, leaves, allow_unused=True)
