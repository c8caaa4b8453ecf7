"""Affinities that are never held, with what is padded or absent."""

from keras import ops

from keras_fusion.ops.diffusion.block_products import block_products
from keras_fusion.ops.diffusion.dense_products import mixing
from keras_fusion.ops.presence import select


def blockwise_products(queries, keys, kept=None, modality_mask=None):
    """The function `(x, y)` to `(P x, P^T y)`, as of the dense affinities.

    Args:
        queries: float32 tensor `(M, B, N, T, h)`.
        keys: float32 tensor `(M, B, N, T, h)`.
        kept: Boolean tensor `(M, B, 1, T)`, or None.
        modality_mask: Boolean tensor `(B, M)`, or None.
    """
    count, _, *_, tokens, _ = shape = ops.shape(queries)
    queries = queries * keys.shape[-1] ** -0.5
    rows = None
    if kept is not None:
        rows, queries, keys = bottom_padded_keys(queries, keys, kept)

    def flat(x):
        return ops.reshape(x, (count, -1, tokens, x.shape[-1]))

    mix = None
    if modality_mask is not None:
        mix = flat(_mix(shape, kept, modality_mask))
        rows = None  # in the mix already
    inner = block_products(flat(queries), flat(keys), mix)

    def products(x, y):
        y = None if y is None else flat(select(y, rows))
        px, pty = inner(None if x is None else flat(x), y)
        px, pty = (ops.reshape(z, (*shape[:-1], z.shape[-1])) for z in (px, pty))
        return select(px, rows), pty

    return products


def bottom_padded_keys(queries, keys, kept):
    """One more channel of queries and keys, by which padded keys get lowest logits.

    They are no lower than float32 rounds well: where all keys are padded, what is left
    of a logit less the largest must not overflow.

    Args:
        queries: Tensor `(M, B, N, T, h)`.
        keys: Tensor `(M, B, N, T, h)`.
        kept: Boolean tensor `(M, B, 1, T)`.

    Returns:
        `(rows, queries, keys)`: `kept` as `(M, B, N, T, 1)`, and the others a channel
        wider.
    """
    rows = ops.broadcast_to(kept, ops.shape(queries)[:-1])[..., None]
    bias = ops.cast(rows, keys.dtype) * 1e6 - 1e6
    queries = ops.concatenate([queries, ops.ones_like(bias)], axis=-1)
    return rows, queries, ops.concatenate([keys, bias], axis=-1)


def _mix(shape, kept, modality_mask):
    """By what the rows of affinities m are summed up for modality i, `(M, B, N, T, M)`.

    Rows of one that is present are its own, else the mean of those that are; a padded
    row counts as zero.
    """
    count, batch, heads, tokens, _ = shape
    mix = ops.swapaxes(mixing(modality_mask), 0, 1)[:, :, None, None]  # (M, B, 1, 1, M)
    if kept is not None:
        mix = mix * ops.cast(ops.transpose(kept, (1, 2, 3, 0)), mix.dtype)
    return ops.broadcast_to(mix, (count, batch, heads, tokens, count))
