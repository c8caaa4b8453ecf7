"""Every position with those in a window around it."""

import itertools

from keras import ops

from keras_fusion.ops.diffusion.affinity import dot_product
from keras_fusion.ops.pairwise.all import require_normalizer
from keras_fusion.ops.presence import softmax


def pairwise_window(
    queries,
    keys,
    values,
    window,
    affinity=dot_product,
    normalize="softmax",
    relative=None,
    mask=None,
):
    """`y_i = 1/C_i sum_o f(q_i, k_{i+o}) v_{o, i+o}` over the K offsets of a window.

    The window lies as that of a convolution with padding "same": it is centered, and
    where its size is even reaches one further to the end. What it sees beyond the edge
    is not there: no weight in a softmax, no share in a mean. The offsets are gone
    through one by one, so memory grows with P K for P positions, never with P P.

    Args:
        queries, keys: `(B, *S, N, h)`, S one to three axes of positions, N heads.
        values: `(B, *S, N, u)`, or a list of K of them, one for each offset, in the
            order of a convolution's kernel.
        window: Its size along each axis of S.
        affinity: f, from `keras_fusion.ops.diffusion.affinity`.
        normalize: C: `"softmax"`, `"mean"` (over the positions seen) or None.
        relative: `(K, N, h)`, added to the keys at each offset, or None.
        mask: `(B, *S, 1, 1)` bool, True = the position is there, or None; values are
            zero where it is not.

    Returns:
        `(B, *S, N, u)` in the dtype of the values.
    """
    require_normalizer(normalize, "softmax", "mean", None)
    offsets = list(itertools.product(*(range(size) for size in window)))
    own = values if isinstance(values, list) else [values] * len(offsets)
    inside = _ones(queries) if mask is None else ops.cast(mask, "float32")
    keys, inside = _padded(keys, window), _padded(inside, window)
    weights, there = [], []
    for number, offset in enumerate(offsets):
        key = _seen(keys, window, offset)
        if relative is not None:
            key = key + relative[number]
        weights.append(affinity(queries[..., None, :], key[..., None, :])[..., 0])
        there.append(_seen(inside, window, offset))  # (B, *S, 1, 1)
    if normalize == "softmax":
        there = ops.cast(ops.concatenate(there, axis=-1), "bool")
        weights = softmax(ops.concatenate(weights, axis=-1), there)
        weights = ops.split(weights, len(offsets), axis=-1)  # K of (B, *S, N, 1)
    elif normalize == "mean":
        count = ops.maximum(sum(there[1:], start=there[0]), 1)
        weights = [weight / count for weight in weights]
    if not isinstance(values, list):
        own = [_padded(values, window)] * len(offsets)
    total = 0
    for weight, value, offset in zip(weights, own, offsets):
        value = _padded(value, window) if isinstance(values, list) else value
        value = _seen(value, window, offset)
        total = total + ops.cast(weight, value.dtype) * value
    return total


def _ones(queries):
    """`(1, *S, 1, 1)` float32."""
    return ops.ones_like(queries[:1, ..., :1, :1], dtype="float32")


def _padded(x, window):
    """`x` with zeros all around, as far as a window can reach."""
    reach = [((size - 1) // 2, size // 2) for size in window]
    return ops.pad(x, ((0, 0), *reach, (0, 0), (0, 0)))


def _seen(padded, window, offset):
    """What each position sees at this offset of its window."""
    stops = [o - size + 1 for o, size in zip(offset, window)]
    return padded[(slice(None), *(slice(o, s or None) for o, s in zip(offset, stops)))]
