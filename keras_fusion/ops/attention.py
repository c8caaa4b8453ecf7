"""Attention over a short axis (the modalities), in the forms that are fast there.

Queries, keys and values are lists of flat tensors, one per modality, so that nothing is
stacked where a few multiply-and-sums do.
"""

from keras import ops

UNROLLED = 4  # up to so many keys, elementwise products beat batched matmuls


def affinity_logits(queries, keys):
    """Scaled dot products of every query with every key, per head.

    Args:
        queries: list of I tensors `(B, N, h)`.
        keys: list of J tensors `(B, N, h)`.

    Returns:
        `(B, N, I, J)`: `q_i k_j / sqrt(h)`.
    """
    scale = queries[0].shape[-1] ** -0.5
    if len(keys) <= UNROLLED:
        rows = [[ops.sum(q * k, axis=-1) for k in keys] for q in queries]
        logits = ops.stack([ops.stack(row, axis=-1) for row in rows], axis=-2)
    else:
        logits = ops.matmul(ops.stack(queries, axis=2), ops.stack(keys, axis=3))
    return logits * scale


def mix(weights, values):
    """Weighted sums of the values, per head.

    Args:
        weights: `(B, N, I, J)`.
        values: list of J tensors `(B, N, h)`.

    Returns:
        list of I tensors `(B, N, h)`: `sum_j w_ij v_j`.
    """
    weights = ops.cast(weights, values[0].dtype)
    queries = weights.shape[-2]
    if len(values) > UNROLLED:
        mixed = ops.matmul(weights, ops.stack(values, axis=2))  # (B, N, I, h)
        return ops.unstack(mixed, queries, axis=2)
    return [
        sum(weights[..., i, j, None] * v for j, v in enumerate(values))
        for i in range(queries)
    ]
