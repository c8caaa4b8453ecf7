"""Rows gathered by number, and sums and maxima of rows that share a number."""

import math

import keras
from keras import ops


def indices(edge_index):
    """The rows of `(2, E)` integers as the backend sums by them quickest."""
    if keras.backend.backend() == "torch":
        # It goes row by row where numbers are int32, which takes 2.5 times as long.
        edge_index = ops.cast(edge_index, "int64")
    return edge_index[0], edge_index[1]


def gather(x, rows):
    """`x[rows]`: `(n, ...)` and `(E,)` to `(E, ...)`."""
    if keras.backend.backend() == "torch":
        # Keras looks up an embedding, whose gradient takes 1.4 times as long.
        return x.index_select(0, rows)
    return ops.take(x, rows, axis=0)


def segment_sum(x, segments, count):
    """Sum of the rows of each segment; zeros where a segment has none.

    Args:
        x: `(E, ...)`, static but for E.
        segments: `(E,)` integers from 0 to count - 1.
        count: Number of segments n.

    Returns:
        `(n, ...)` float32: a sum of thousands of rows stops growing in bfloat16, and
        overflows in float16 where what it is divided by would make it fit.
    """
    flat = ops.reshape(ops.cast(x, "float32"), (-1, math.prod(x.shape[1:])))
    if keras.backend.backend() == "torch":
        # Keras writes the segments out as int64 for every number of x, and sorts them.
        zeros = ops.zeros((count, flat.shape[-1]), "float32")
        total = zeros.index_add(0, segments, flat)
    else:
        total = ops.segment_sum(flat, segments, count)
    return ops.reshape(total, (-1, *x.shape[1:]))


def segment_max(x, segments, count):
    """Maximum of the rows of each segment, -1e30 where a segment has none.

    Args, Returns: As for `segment_sum`; x is float32.
    """
    return ops.maximum(ops.segment_max(x, segments, count), -1e30)
