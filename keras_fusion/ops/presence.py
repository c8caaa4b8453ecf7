"""What is absent is selected away, never multiplied away: 0 x NaN is NaN."""

import keras
from keras import ops


def select(x, present, absent=0):
    """`x` where `present`, the number `absent` elsewhere; `x` itself if all is there.

    Args:
        x: Tensor of any shape and dtype.
        present: Boolean tensor that broadcasts to `x`, or None (all present).
        absent: Number that stands where nothing is present.
    """
    if present is None:
        return x
    return ops.where(present, x, ops.cast(absent, x.dtype))


def precise(x):
    """`x` in float32, or float64 where it is that: for sums and exponentials."""
    is_float64 = keras.backend.standardize_dtype(x.dtype) == "float64"
    return x if is_float64 else ops.cast(x, "float32")


def softmax(logits, present=None, axis=-1):
    """Softmax over what is present, in float32 or float64; zeros where nothing is.

    Args:
        logits: Tensor of any floating dtype.
        present: Boolean tensor that broadcasts to `logits`, or None (all present).
        axis: Axis to normalize over.

    Returns:
        Tensor in the shape of `logits`, float64 where they are. Along `axis` it sums to
        one, or is zero where nothing is present.
    """
    logits = precise(logits)
    if logits.shape[axis] == 1:
        return select(ops.ones_like(logits), present)
    logits = select(logits, present, -1e30)
    if len(logits.shape) > 5:  # more axes than TensorFlow's softmax takes on a CPU
        weights = ops.exp(logits - ops.logsumexp(logits, axis=axis, keepdims=True))
    else:
        weights = ops.softmax(logits, axis=axis)
    return select(weights, present)


def share(weights, modality_mask=None):
    """Each modality's share in the absolute raw weights of an operator.

    Args:
        weights: `(B, ..., M)` raw weights, modalities on the last axis; averaged over
            all axes between (heads, channels, positions).
        modality_mask: `(B, M)` bool, True = present, or None (all present).

    Returns:
        `(B, M)` float32. Rows sum to one over what is present, or are zero where
        nothing is present or all weights are zero.
    """
    weights = ops.abs(ops.cast(weights, "float32"))
    between = tuple(range(1, len(weights.shape) - 1))
    weights = ops.mean(weights, axis=between) if between else weights  # (B, M)
    weights = select(weights, modality_mask)
    total = ops.sum(weights, axis=-1, keepdims=True)
    return select(weights / select(total, total > 0, 1), total > 0)


def presence(inputs, modality_mask=None, mask=None):
    """Where each modality is present.

    Args:
        inputs: list of M tensors `(B, ..., D_m)`.
        modality_mask: `(B, M)`, True = present, or None.
        mask: list of M tensors `(B, T)` or None, True = keep, or None.

    Returns:
        list of M boolean tensors that broadcast to the inputs, of one shape where the
        inputs are aligned, or None where both masks leave everything present.
    """
    masks = [None] * len(inputs) if mask is None else mask
    if modality_mask is None and all(m is None for m in masks):
        return None
    present = [
        _present(x, None if modality_mask is None else modality_mask[:, m], masks[m])
        for m, x in enumerate(inputs)
    ]
    if all(m is None for m in masks):
        return present  # (B, 1, ...)
    everywhere = [ops.ones_like(x[..., :1], dtype="bool") for x in inputs]
    return [ops.logical_and(p, e) for p, e in zip(present, everywhere)]  # (B, ..., 1)


def _present(x, there, kept):
    parts = [_expand(ops.cast(p, "bool"), x) for p in (there, kept) if p is not None]
    if not parts:
        return ops.ones_like(x[..., :1], dtype="bool")
    return parts[0] if len(parts) == 1 else ops.logical_and(*parts)


def _expand(p, x):
    """`p` with axes of size one behind, up to the rank of `x`."""
    return p[(..., *[None] * (len(x.shape) - len(p.shape)))]


def any_present(present):
    """Where at least one modality is present, from the result of `presence`."""
    anything = present[0]
    for p in present[1:]:
        anything = ops.logical_or(anything, p)
    return anything


def any_token(present):
    """Where a sample has any token of any modality, `(B, 1)`, from `presence`."""
    return any_present([ops.any(p, axis=1) for p in present])


def select_all(inputs, present):
    """`select` for every modality, with the result of `presence`."""
    if present is None:
        return list(inputs)
    return [select(x, p) for x, p in zip(inputs, present)]


def weighted_sum(weights, inputs):
    """`sum_m w_m x_m` of tensors that broadcast, in the dtype of the inputs."""
    return sum(ops.cast(w, x.dtype) * x for w, x in zip(weights, inputs))
