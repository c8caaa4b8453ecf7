"""The gradient of a number with respect to one array, on whichever backend is active.

Keras has no operation for gradients, so each backend's own takes its place here.
"""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops


def with_gradient(function: Callable) -> Callable:
    """A function that also gives its gradient.

    Args:
        function: From a tensor and a dict of arrays to `(B,)` numbers, each of which
            depends on its own row of the tensor alone.

    Returns:
        `run(x, others)` to the numbers `(B,)` and their gradients in the shape of x, as
        arrays; the gradient is zero where a number does not depend on x.
    """
    run = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
    run = run[keras.backend.backend()](function)

    def as_numpy(x, others):
        values, slopes = run(np.asarray(x, "float32"), others)
        if slopes is None:
            return ops.convert_to_numpy(values), np.zeros(x.shape, "float32")
        return ops.convert_to_numpy(values), ops.convert_to_numpy(slopes)

    return as_numpy


def _tensorflow(function):
    import tensorflow as tf

    def run(x, others):
        x = tf.convert_to_tensor(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            values = function(x, others)
        return values, tape.gradient(values, x)

    return run


def _jax(function):
    import jax

    def summed(x, others):
        values = function(x, others)
        return values.sum(), values

    compiled = jax.jit(jax.value_and_grad(summed, has_aux=True))

    def run(x, others):
        (_, values), slopes = compiled(x, others)
        return values, slopes

    return run


def _torch(function):
    import torch

    def run(x, others):
        x = ops.convert_to_tensor(x).requires_grad_()
        with torch.enable_grad():
            values = function(x, others)
            if not values.requires_grad:
                return values, None
            (slopes,) = torch.autograd.grad(values.sum(), x, allow_unused=True)
        return values, slopes

    return run
