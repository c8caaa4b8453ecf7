"""Positions (tokens, pixels, frames) as rows of one flat batch, and back."""

import math

from keras import ops


def flatten_positions(x):
    """`(B, ..., D)` to `(B * positions, D)`."""
    return x if len(x.shape) == 2 else ops.reshape(x, (-1, x.shape[-1]))


def restore_positions(x, like):
    """`(B * positions, ...)` to `(B, positions, ...)`, the positions those of `like`.

    Args:
        x: Tensor whose first axis was flattened.
        like: Tensor `(B, positions, D)` that it came from.
    """
    positions = tuple(like.shape[1:-1])
    if not positions:
        return x
    if None in positions:
        return ops.reshape(x, (*ops.shape(like)[:-1], *x.shape[1:]))
    return ops.reshape(x, (-1, *positions, *x.shape[1:]))


def tokens(x):
    """`(B, *S, C)` to `(B, P, C)`: the positions of all axes in one."""
    positions = x.shape[1:-1]
    if len(positions) == 1:
        return x
    if None in positions:
        return ops.reshape(x, (ops.shape(x)[0], -1, x.shape[-1]))
    return ops.reshape(x, (-1, math.prod(positions), x.shape[-1]))


def with_last(x, like, *last):
    """`x` as `(B, *S, *last)`, its leading axes those of `like` `(B, *S, C)`."""
    positions = tuple(like.shape[1:-1])
    if None in positions:
        return ops.reshape(x, (*ops.shape(like)[:-1], *last))
    return ops.reshape(x, (-1, *positions, *last))
