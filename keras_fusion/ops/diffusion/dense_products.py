"""Softmax affinities of stacked modalities, `(M, B, N, T, T)`, and their products."""

from keras import ops

from keras_fusion.ops.presence import select, softmax


def affinities(queries, keys, kept=None):
    """`softmax(q k^T / sqrt(h))` over the keys.

    Args:
        queries: float32 tensor `(M, B, N, T, h)`.
        keys: float32 tensor `(M, B, N, T, h)`.
        kept: Boolean tensor `(M, B, 1, T)`, or None. Rows and columns of what is not
            kept are zero.

    Returns:
        float32 tensor `(M, B, N, T, T)`.
    """
    queries = queries * keys.shape[-1] ** -0.5
    logits = queries @ ops.swapaxes(keys, -1, -2)
    if kept is None:
        return softmax(logits)
    return select(softmax(logits, kept[..., None, :]), kept[..., None])


def replace_absent(affinities, modality_mask=None):
    """The mean of the affinities that are present in place of those that are not.

    Args:
        affinities: Tensor `(M, B, N, T, T)`, finite everywhere.
        modality_mask: Boolean tensor `(B, M)`, or None. Where nothing is present all is
            zero.
    """
    if modality_mask is None:
        return affinities
    shape = ops.shape(affinities)
    flat = ops.reshape(affinities, (*shape[:2], shape[2] * shape[3] * shape[4]))
    flat = ops.matmul(mixing(modality_mask), ops.swapaxes(flat, 0, 1))  # (B, M, N T T)
    return ops.reshape(ops.stack(ops.unstack(flat, axis=1)), shape)


def mixing(modality_mask):
    """How much of modality m stands for modality i, `(B, M, M)`: itself, or the mean.

    Args:
        modality_mask: Boolean tensor `(B, M)`.
    """
    there = ops.cast(modality_mask, "float32")
    mean = there / ops.maximum(ops.sum(there, axis=-1, keepdims=True), 1)
    there = there[..., None]
    return there * ops.eye(there.shape[1]) + (1 - there) * mean[:, None]


def dense_products(affinities, dtype="float32"):
    """The function `(x, y)` to `(P x, P^T y)` of given affinities `(M, B, N, T, T)`.

    Args:
        affinities: float32 tensor.
        dtype: Of the factors; what comes of them is float32.
    """
    affinities = ops.cast(affinities, dtype)
    transposed = ops.swapaxes(affinities, -1, -2)

    def product(p, x):
        return ops.cast(p @ ops.cast(x, dtype), "float32")

    def products(x, y):
        return (
            None if x is None else product(affinities, x),
            None if y is None else product(transposed, y),
        )

    return products
