"""Attention over a short axis (the modalities), in the forms that are fast there.

Up to `UNROLLED` modalities the heads are lists of tensors `(B, N, h)`, one each:
nothing is stacked, and compilers fuse the few multiply-and-sums. Beyond, they are one
tensor `(B, N, M, h)` for batched matmuls.
"""

from keras import ops

from keras_fusion.ops.presence import precise

UNROLLED = 4


def project_heads(inputs, kernels, parts, num_heads):
    """Queries, keys, values of all modalities by one matmul, split into heads.

    Args:
        inputs: list of M tensors `(B, D)`.
        kernels: list of one kernel `(D, parts * N * h)` for all, or of one for each.
        parts: How many projections stand side by side in a kernel.
        num_heads: Number of heads N.

    Returns:
        One entry per part: a list of M tensors `(B, N, h)` or a tensor `(B, N, M, h)`.
    """
    count = len(inputs)
    head_dim = kernels[0].shape[-1] // (parts * num_heads)
    if count > UNROLLED and len(kernels) == 1:
        flat = ops.reshape(ops.stack(inputs, axis=1), (-1, inputs[0].shape[-1]))
        projected = flat @ kernels[0]  # (B * M, parts * N * h)
    else:
        kernels = kernels * count if len(kernels) == 1 else kernels
        projected = [x @ kernel for x, kernel in zip(inputs, kernels)]
        if count > UNROLLED:
            projected = ops.stack(projected, axis=1)
    if count > UNROLLED:
        shape = (-1, count, parts, num_heads, head_dim)
        heads = ops.transpose(ops.reshape(projected, shape), (2, 0, 3, 1, 4))
        return ops.unstack(heads, parts, axis=0)
    split = [ops.split(x, parts, axis=-1) for x in projected]
    return [[ops.reshape(x, (-1, num_heads, head_dim)) for x in p] for p in zip(*split)]


def affinity_logits(queries, keys):
    """Scaled dot products of every query with every key, per head.

    Args:
        queries: list of I tensors `(B, N, h)`, or a tensor `(B, N, I, h)`.
        keys: list of J tensors `(B, N, h)`, or a tensor `(B, N, J, h)`.

    Returns:
        `(B, N, I, J)`, `q_i k_j / sqrt(h)`: float64 where they are, else float32, since
        float16 overflows here first.
    """
    if isinstance(keys, list):
        queries = [precise(q) for q in queries]
        keys = [precise(k) for k in keys]
        rows = [[ops.sum(q * k, axis=-1) for k in keys] for q in queries]
        logits = ops.stack([ops.stack(row, axis=-1) for row in rows], axis=-2)
        return logits * keys[0].shape[-1] ** -0.5
    queries, keys = precise(queries), precise(keys)
    queries = queries * keys.shape[-1] ** -0.5  # fewer than the logits
    return ops.matmul(queries, ops.swapaxes(keys, -1, -2))


def mix(weights, values):
    """Weighted sums of the values, per head.

    Args:
        weights: `(B, N, I, J)`.
        values: list of J tensors `(B, N, h)`, or a tensor `(B, N, J, h)`.

    Returns:
        `sum_j w_ij v_j`: a list of I tensors `(B, N, h)`, or a tensor `(B, N, I, h)`.
    """
    if not isinstance(values, list):
        return ops.matmul(ops.cast(weights, values.dtype), values)
    weights = ops.cast(weights, values[0].dtype)
    return [
        sum(weights[..., i, j, None] * v for j, v in enumerate(values))
        for i in range(weights.shape[-2])
    ]
