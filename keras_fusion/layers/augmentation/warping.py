"""Sequences and maps at other places than they were sampled at."""

import math

from keras import ops


def warp(x, axis: int, rates, shifts):
    """`y_i` is x at `c + (1 + rate)(i - c) + n shift`, c the middle of n places.

    Interpolated linearly between places, held before the first and after the last.

    Args:
        x: `(B, ..., C)`, n along `axis` known.
        axis: Of x, from 1.
        rates, shifts: `(B, 1)` float32.
    """
    size = x.shape[axis]
    middle = (size - 1) / 2
    places = ops.arange(size, dtype="float32")
    wanted = middle + (1 + rates) * (places - middle) + size * shifts  # (B, n)
    wanted = ops.clip(wanted, 0, size - 1)[..., None]
    weights = ops.relu(1 - ops.abs(wanted - places))  # (B, n, n)
    moved = ops.moveaxis(x, axis, 1)
    shape = (-1, *moved.shape[1:])
    flat = ops.reshape(moved, (-1, size, math.prod(moved.shape[2:])))
    flat = ops.matmul(ops.cast(weights, x.dtype), flat)
    return ops.moveaxis(ops.reshape(flat, shape), 1, axis)
