"""Attention over a short axis (the modalities), in the forms that are fast there.

Up to `UNROLLED` modalities the heads are lists of tensors `(B, N, h)`, one each:
nothing is stacked, and compilers fuse the few multiply-and-sums. Beyond, they are one
tensor `(B, N, M, h)` for batched matmuls.
"""

from keras import ops

from keras_fusion.ops.presence import precise

UNROLLED = 4


def project_heads(inputs, kernels, num_heads):
    """Queries, keys, values of all modalities, split into heads.

    Args:
        inputs: list of M tensors `(B, D)`.
        kernels: For each part a list of one kernel `(D, N * h)` for all modalities, or
            of one for each.
        num_heads: Number of heads N.

    Returns:
        One entry per part: a list of M tensors `(B, N, h)` or a tensor `(B, N, M, h)`.
    """
    shape = (-1, num_heads, kernels[0][0].shape[-1] // num_heads)
    if len(inputs) > UNROLLED:
        return _stacked_heads(inputs, kernels, shape[1:])
    joined = [ops.concatenate(own, axis=-1) for own in zip(*kernels)]
    joined = joined * len(inputs) if len(joined) == 1 else joined
    projected = [x @ kernel for x, kernel in zip(inputs, joined)]
    split = [ops.split(x, len(kernels), axis=-1) for x in projected]
    return [[ops.reshape(x, shape) for x in part] for part in zip(*split)]


def _stacked_heads(inputs, kernels, head_shape):
    """A matmul for each part: the gradient of one for all would be torn apart."""
    count = len(inputs)
    if len(kernels[0]) == 1:
        flat = ops.reshape(ops.stack(inputs, axis=1), (-1, inputs[0].shape[-1]))
        projected = [flat @ kernel for (kernel,) in kernels]  # (B * M, N * h)
    else:
        projected = [
            ops.stack([x @ kernel for x, kernel in zip(inputs, own)], axis=1)
            for own in kernels
        ]
    heads = [ops.reshape(x, (-1, count, *head_shape)) for x in projected]
    return [ops.transpose(x, (0, 2, 1, 3)) for x in heads]


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
    keys = precise(keys)
    logits = ops.matmul(precise(queries), ops.swapaxes(keys, -1, -2))
    return logits * keys.shape[-1] ** -0.5


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
