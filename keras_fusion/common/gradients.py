"""Gradients on whichever backend is active: Keras has no operation for them."""

import keras
import numpy as np
from keras import ops


def with_gradients(function, variables=()):
    """A function that also gives its gradients, compiled where that is faster (JAX).

    Args:
        function: `function(arrays, **others)` from a list of tensors to
            `(scalar, outputs)`.
        variables: Keras variables that `function` reads.

    Returns:
        `run(arrays, **others)` to `(outputs, gradients)`; the gradients of the scalar
        are numpy arrays, for each array, then for each variable, and zeros where it
        does not depend on one.
    """
    run = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
    run = run[keras.backend.backend()](function, list(variables))

    def as_numpy(arrays, **others):
        outputs, found = run(arrays, **others)
        leaves = [*arrays, *variables]
        return outputs, [
            np.zeros(x.shape, "float32") if g is None else ops.convert_to_numpy(g)
            for g, x in zip(found, leaves, strict=True)
        ]

    return as_numpy


def _tensorflow(function, variables):
    import tensorflow as tf

    def run(arrays, **others):
        arrays = [tf.convert_to_tensor(x) for x in arrays]
        leaves = [*arrays, *(v.value for v in variables)]
        with tf.GradientTape() as tape:
            tape.watch(leaves)
            value, outputs = function(arrays, **others)
        return outputs, tape.gradient(value, leaves)

    return run


def _jax(function, variables):
    import jax

    def pure(arrays, values, others):
        with keras.StatelessScope(state_mapping=zip(variables, values, strict=True)):
            return function(arrays, **others)

    compiled = jax.jit(jax.value_and_grad(pure, argnums=(0, 1), has_aux=True))

    def run(arrays, **others):
        values = [v.value for v in variables]
        (_, outputs), (first, second) = compiled(list(arrays), values, others)
        return outputs, [*first, *second]

    return run


def _torch(function, variables):
    import torch

    def run(arrays, **others):
        arrays = [ops.convert_to_tensor(x).requires_grad_() for x in arrays]
        leaves = [*arrays, *(v.value for v in variables)]
        with torch.enable_grad():
            value, outputs = function(arrays, **others)
            if not value.requires_grad:
                return outputs, [None] * len(leaves)
            return outputs, torch.autograd.grad(value, leaves, allow_unused=True)

    return run
