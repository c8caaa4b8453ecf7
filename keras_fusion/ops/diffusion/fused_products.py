"""Products with softmax affinities by fused attention, which holds none of them.

`P x` is attention. `P^T y` is its gradient, that of the sum of `y * (P x)` with respect
to x. So both come from the kernels that a GPU has for attention and its training, and
so do the gradients of both: those of q and k are the gradients of one more attention,
with the values `[x | gpty]` against `[gpx | y]`.
"""

import functools

from keras import ops

from keras_fusion.ops.diffusion.blockwise import bottom_padded_keys
from keras_fusion.ops.diffusion.dense_products import mixing
from keras_fusion.ops.diffusion.fused_attention import attention, beside, vjp
from keras_fusion.ops.diffusion.precision import without_autocast
from keras_fusion.ops.presence import select


def fused_products(queries, keys, kept=None, modality_mask=None):
    """The function `(x, y)` to `(P x, P^T y)`, as of the dense affinities.

    Args:
        queries: Tensor `(M, B, N, T, h)`, in whose dtype factors are multiplied; what
            comes of them is float32.
        keys: Tensor `(M, B, N, T, h)` of the same dtype.
        kept: Boolean tensor `(M, B, 1, T)`, or None.
        modality_mask: Boolean tensor `(B, M)`, or None.
    """
    shape, scale = ops.shape(queries), keys.shape[-1] ** -0.5
    rows = None
    if kept is not None:
        rows, queries, keys = bottom_padded_keys(queries, keys, kept)

    def flat(x):  # (M B, N, T, width); `ops.reshape` takes torch as long as a kernel
        return x.reshape(shape[0] * shape[1], *shape[2:4], x.shape[-1])

    inner = functools.partial(_products, scale, flat(queries), flat(keys))

    def products(x, y):
        y = None if y is None else select(y, rows)
        x, y = (queries[..., :0] if z is None else z for z in (x, y))
        x, y = (flat(ops.cast(z, queries.dtype)) for z in (x, y))
        both = inner(x, y)
        both = ops.cast(both, "float32").reshape(*shape[:-1], both.shape[-1])
        px, pty = both[..., : x.shape[-1]], both[..., x.shape[-1] :]
        return select(px, rows), pty

    if modality_mask is None:
        return products
    return _mixed(products, mixing(modality_mask))


def _mixed(products, mix):
    """The same with the mean of the present affinities in place of the absent ones.

    Every modality's affinities multiply what all of them have, side by side.

    Args:
        products: Function `(x, y)` to `(P x, P^T y)`.
        mix: float32 `(B, M, M)`, how much of modality m stands for modality i.
    """
    count = mix.shape[-1]

    def apart(x):  # by i, whose it is, beside m, whose affinities multiplied it
        return x.reshape(*x.shape[:-1], count, x.shape[-1] // count)

    def together(x):
        return x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])

    def mixed(x, y):
        if x is not None:
            x = ops.stack([ops.concatenate(ops.unstack(x, count), axis=-1)] * count)
        if y is not None:
            y = together(ops.einsum("bim,ibntw->mbntiw", mix, y))
        px, pty = products(x, y)
        px = ops.einsum("bim,mbntiw->ibntw", mix, apart(px))
        return px, ops.einsum("mbntiw->ibntw", apart(pty))

    return mixed


def _products(scale, queries, keys, x, y):
    """`[P x | P^T y]` of tensors `(G, N, T, width)`, x and y as wide or one 0 wide."""
    attend = functools.partial(attention, scale)

    @ops.custom_gradient
    def products(q, k, x, y):
        @without_autocast  # which may be on again by then
        def gradient(*arguments, upstream=None):
            upstream = arguments[0] if upstream is None else upstream
            width = x.shape[-1]
            gpx, gpty = upstream[..., :width], upstream[..., width:]
            attended, pull = vjp(attend, q, k, beside(x, gpty))
            gq, gk, gvalues = pull(beside(gpx, y))
            return gq, gk, gvalues[..., :width], attended[..., width:]

        if not y.shape[-1]:
            return attend(q, k, x), gradient
        attended, pull = vjp(attend, q, k, x if x.shape[-1] else y)
        return beside(attended[..., : x.shape[-1]], pull(y)[-1]), gradient

    return products(queries, keys, x, y)
