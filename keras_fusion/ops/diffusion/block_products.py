"""Products with softmax affinities that are never held, only a block of rows at a time.

A block has whole rows of `P = softmax(q k^T)`, so one pass over the blocks gives both
`P x`, row by row, and `P^T y`, as a sum. The gradients come from one more such pass,
written by hand: automatic ones would keep every block.

Tensors are `(M, G, T, width)` with G = B * N; a width may be 0.
"""

import keras
from keras import ops

from keras_fusion.ops.diffusion import block_products_torch
from keras_fusion.ops.diffusion.blocks import mixed, over_blocks, unmixed


def block_products(queries, keys, mix=None):
    """The function `(x, y)` to `(P x, P^T y)` for `P = softmax(q k^T)`.

    Args:
        queries: float32 tensor `(M, G, T, h)`, scaled.
        keys: float32 tensor `(M, G, T, h)`.
        mix: None, or float32 `(M, G, T, M)`: row t of modality i is replaced by the
            sum over m of `mix[i, g, t, m]` times row t of modality m.
    """
    nothing = queries[..., :0]
    mix = nothing if mix is None else mix
    normalizer = nothing  # log of the rows' sums, which the first pass finds

    def products(x, y):
        nonlocal normalizer
        x, y = (nothing if z is None else z for z in (x, y))
        results = _products(queries, keys, x, y, mix, normalizer)
        width = x.shape[-1]
        normalizer = ops.stop_gradient(results[..., -1:])
        return results[..., :width], results[..., width:-1]

    return products


@ops.custom_gradient
def _products(q, k, x, y, mix, normalizer):
    """`P x`, `P^T y` and the normalizer, side by side since Keras' custom gradient
    knows a single output on torch."""
    passes = (forward, backward)
    if keras.backend.backend() == "torch":  # why, stands there
        passes = (block_products_torch.forward, block_products_torch.backward)
    px, pty, found = passes[0](q, k, x, y, mix, normalizer)
    known = q, k, x, y, mix, found, px

    def gradient(*arguments, upstream=None):
        upstream = arguments[0] if upstream is None else upstream
        width = x.shape[-1]
        gradients = passes[1](*known, upstream[..., :width], upstream[..., width:-1])
        gradients = map(_without_gradient, gradients)  # the normalizer's would lack
        return *gradients, ops.zeros_like(mix), ops.zeros_like(normalizer)

    return ops.concatenate([px, pty, found], axis=-1), gradient


@ops.custom_gradient
def _without_gradient(x):
    def gradient(*arguments, upstream=None):
        raise NotImplementedError(
            "Blockwise cross-diffusion has first derivatives only; for those of higher "
            'order use implementation="dense".'
        )

    return x, gradient


def forward(q, k, x, y, mix, normalizer):
    """`(P x, P^T y, normalizer)`."""

    def block(rows, whole):
        (q, y, mix, normalizer), (k, x) = rows, whole
        p, scale, normalizer = _exponentials(q, k, normalizer)
        if mix.shape[-1]:
            p, scale = mixed(scale * p, mix), 1.0
        px = scale * ops.matmul(p, x)
        return (px, normalizer), (ops.matmul(_transposed(p), scale * y),)

    (px, normalizer), (pty,) = over_blocks(
        block, (q, y, mix, normalizer), (k, x), (x.shape[-1], 1), (y.shape[-1],)
    )
    return px, pty, normalizer


def backward(q, k, x, y, mix, normalizer, px, gpx, gpty):
    """The gradients of q, k, x and y, from those of `P x` and of `P^T y`."""

    def block(rows, whole):
        (q, y, mix, normalizer, px, gpx), (k, x, gpty) = rows, whole
        own, _, _ = _exponentials(q, k, normalizer)
        p = mixed(own, mix) if mix.shape[-1] else own
        gy = ops.matmul(p, gpty)
        gx = ops.matmul(_transposed(p), gpx)
        gp = ops.matmul(
            ops.concatenate([gpx, y], axis=-1),
            _transposed(ops.concatenate([x, gpty], axis=-1)),
        )
        if mix.shape[-1]:
            gp = unmixed(gp, mix)
            mean = ops.sum(own * gp, axis=-1, keepdims=True)
        else:
            mean = ops.sum(gpx * px, axis=-1, keepdims=True)
            mean = mean + ops.sum(gy * y, axis=-1, keepdims=True)
        glogits = own * (gp - mean)
        gq = ops.matmul(glogits, k)
        return (gq, gy), (ops.matmul(_transposed(glogits), q), gx)

    (gq, gy), (gk, gx) = over_blocks(
        block,
        (q, y, mix, normalizer, px, gpx),
        (k, x, gpty),
        (q.shape[-1], y.shape[-1]),
        (k.shape[-1], x.shape[-1]),
    )
    return gq, gk, gx, gy


def _exponentials(q, k, normalizer):
    """`(e, scale, normalizer)` of a block; its rows of P are `scale * e`."""
    logits = ops.matmul(q, _transposed(k))
    if normalizer.shape[-1]:
        return ops.exp(logits - normalizer), 1.0, normalizer
    top = ops.max(logits, axis=-1, keepdims=True)
    e = ops.exp(logits - top)
    total = ops.sum(e, axis=-1, keepdims=True)
    return e, 1 / total, top + ops.log(total)


def _transposed(x):
    return ops.swapaxes(x, -1, -2)
