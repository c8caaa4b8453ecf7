"""Affinities that are never held, with what is padded or absent."""

from keras import ops

from keras_fusion.ops.block_products import block_products
from keras_fusion.ops.dense_products import mixing
from keras_fusion.ops.presence import select


def blockwise_products(queries, keys, kept=None, present=None):
    """The function `(x, y)` to `(P x, P^T y)`, as of the dense affinities.

    Padded keys get logits at the bottom by one more channel of queries and keys.

    Args:
        queries: float32 tensor `(M, B, N, T, h)`.
        keys: float32 tensor `(M, B, N, T, h)`.
        kept: Boolean tensor `(M, B, 1, T)`, or None.
        present: Boolean tensor `(M, B)`, or None.
    """
    count, _, *_, tokens, _ = shape = ops.shape(queries)
    queries = queries * keys.shape[-1] ** -0.5
    rows = None
    if kept is not None:
        rows = ops.broadcast_to(kept, shape[:-1])[..., None]
        bias = ops.cast(rows, "float32") * 1e30 - 1e30
        queries = ops.concatenate([queries, ops.ones_like(bias)], axis=-1)
        keys = ops.concatenate([keys, bias], axis=-1)

    def flat(x):
        return ops.reshape(x, (count, -1, tokens, x.shape[-1]))

    mix = None
    if present is not None:
        mix = flat(_mix(shape, kept, present))
        rows = None  # in the mix already
    inner = block_products(flat(queries), flat(keys), mix)

    def products(x, y):
        y = None if y is None else flat(select(y, rows))
        px, pty = inner(None if x is None else flat(x), y)
        px, pty = (ops.reshape(z, (*shape[:-1], z.shape[-1])) for z in (px, pty))
        return select(px, rows), pty

    return products


def _mix(shape, kept, present):
    """By what the rows of affinities m are summed up for modality i, `(M, B, N, T, M)`.

    Rows of one that is present are its own, else the mean of those that are; a padded
    row counts as zero.
    """
    count, batch, heads, tokens, _ = shape
    mix = ops.swapaxes(mixing(present), 0, 1)[:, :, None, None]  # (M, B, 1, 1, M)
    if kept is not None:
        mix = mix * ops.cast(ops.transpose(kept, (1, 2, 3, 0)), mix.dtype)
    return ops.broadcast_to(mix, (count, batch, heads, tokens, count))
