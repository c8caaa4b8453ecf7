"""Pooling over the modalities that are present."""

import functools

from keras import ops

from keras_fusion.ops.presence import select


def pool(inputs, present, readout="mean"):
    """Sum, mean or maximum over the present modalities.

    Args:
        inputs: list of M tensors `(B, ..., D)`.
        present: `Presence` of the inputs.
        readout: `"sum"`, `"mean"` or `"max"`.

    Returns:
        `(B, ..., D)`. Where nothing is present zeros, or -inf for `"max"`.
    """
    if readout == "max":
        return functools.reduce(ops.maximum, present.select(inputs, -float("inf")))
    inputs = present.select(inputs)
    total = sum(inputs[1:], start=inputs[0])
    return total if readout == "sum" else total / present.count(inputs)


def position_mean(x, there=None):
    """Mean over the positions that are there: `(B, 1, ..., C)`, zero without any.

    Args:
        x: `(B, *S, C)`.
        there: bool that broadcasts to `(B, *S, 1)`, or None (all).
    """
    axes = tuple(range(1, len(x.shape) - 1))
    mean = ops.mean(select(x, there), axis=axes, keepdims=True)
    if there is None:
        return mean
    share = ops.mean(ops.cast(there, "float32"), axis=axes, keepdims=True)
    return mean / ops.cast(select(share, share > 0, 1.0), mean.dtype)
