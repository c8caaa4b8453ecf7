"""Pooling over the modalities that are present."""

import functools

from keras import ops

from keras_fusion.ops.presence import select, select_all


def pool(inputs, present=None, readout="mean"):
    """Sum, mean or maximum over the present modalities.

    Args:
        inputs: list of M tensors `(B, ..., D)`.
        present: list of M boolean tensors that broadcast to the inputs, or None.
        readout: `"sum"`, `"mean"` or `"max"`.

    Returns:
        `(B, ..., D)`. Where nothing is present zeros, or -inf for `"max"`.
    """
    if readout == "max":
        if present is not None:
            inputs = [select(x, p, -float("inf")) for x, p in zip(inputs, present)]
        return functools.reduce(ops.maximum, inputs)
    inputs = select_all(inputs, present)
    total = sum(inputs[1:], start=inputs[0])
    if readout == "sum":
        return total
    if present is None:
        return total / len(inputs)
    count = sum(ops.cast(p, total.dtype) for p in present)
    return total / ops.maximum(count, 1)
