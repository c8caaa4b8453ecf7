"""The passes of `block_products` for eager torch, on tensors' methods alone.

Through `keras.ops` they take twice as long: torch gains from working in place, since
each new tensor takes the block out of the cache, from sums that a matrix product adds
to, and from powers of two, which take it half the time of exponentials.
"""

import math

from keras import ops

from keras_fusion.ops.diffusion.blocks import mixed, rows_at_once, unmixed
from keras_fusion.ops.diffusion.precision import without_autocast


def forward(q, k, x, y, mix, normalizer):
    """`(P x, P^T y, normalizer)`, see `block_products.forward`."""
    if normalizer.shape[-1] and not mix.shape[-1] and not y.shape[-1]:
        return _attend(q, k, x), y, normalizer
    q, k, x, y, mix, normalizer = by_group(q, k, x, y, mix, normalizer)
    px, pty = x.new_empty(x.shape), y.new_zeros(y.shape)
    found = q.new_empty(*q.shape[:-1], 1)
    for g, rows in _blocks(q):
        e, scale, found[g, :, rows] = _exponentials(
            q[g, :, rows], k[g], normalizer[g, :, rows]
        )
        if mix.shape[-1]:
            e, scale = mixed(e.mul_(scale), mix[g, :, rows]), 1.0
        if x.shape[-1]:
            px[g, :, rows] = (e @ x[g]).mul_(scale)
        if y.shape[-1]:
            pty[g].baddbmm_(e.mT, y[g, :, rows] * scale)
    return by_modality(px, pty, found)


def _attend(q, k, x):
    """`P x` by torch's fused attention, which wants one width for all."""
    width = max(q.shape[-1], x.shape[-1])
    # (M, T, G, width): Keras has the heads behind the tokens
    q, k, v = (_widen(z, width).transpose(1, 2) for z in (q, k, x))
    attended = ops.dot_product_attention(q, k, v, scale=1.0)
    return attended.transpose(1, 2)[..., : x.shape[-1]]


def _widen(x, width):
    return ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, width - x.shape[-1])))


@without_autocast  # which may be on again by then
def backward(q, k, x, y, mix, normalizer, px, gpx, gpty):
    """The gradients of q, k, x and y, see `block_products.backward`."""
    q, k, x, y, mix, normalizer, px, gpx, gpty = by_group(
        q, k, x, y, mix, normalizer, px, gpx, gpty
    )
    gq, gk, gx, gy = (z.new_zeros(z.shape) for z in (q, k, x, y))
    mean = (gpx * px).sum(-1, keepdim=True)
    for g, rows in _blocks(q):
        own, _, _ = _exponentials(q[g, :, rows], k[g], normalizer[g, :, rows])
        p = mixed(own, mix[g, :, rows]) if mix.shape[-1] else own
        glogits, here = 0, mean[g, :, rows]
        if x.shape[-1]:
            gx[g].baddbmm_(p.mT, gpx[g, :, rows])
            glogits = gpx[g, :, rows] @ x[g].mT
        if y.shape[-1]:
            gy[g, :, rows] = p @ gpty[g]
            here = here + (gy[g, :, rows] * y[g, :, rows]).sum(-1, keepdim=True)
            more = y[g, :, rows] @ gpty[g].mT
            glogits = more.add_(glogits)
        if mix.shape[-1]:
            glogits = unmixed(glogits, mix[g, :, rows])
            here = (own * glogits).sum(-1, keepdim=True)
        glogits = glogits.sub_(here).mul_(own)
        gq[g, :, rows] = glogits @ k[g]
        gk[g].baddbmm_(glogits.mT, q[g, :, rows])
    return by_modality(gq, gk, gx, gy)


def by_group(*tensors):
    """`(M, G, ...)` as `(G, M, ...)`."""
    return [x.transpose(0, 1) for x in tensors]


def by_modality(*tensors):
    """`(G, M, ...)` as `(M, G, ...)`."""
    return [x.transpose(0, 1) for x in tensors]


def _blocks(q):
    groups, count, tokens, _ = q.shape
    size = rows_at_once(count, tokens)
    for g in range(groups):
        for first in range(0, tokens, size):
            yield g, slice(first, first + size)


def _exponentials(q, k, normalizer):
    """`(e, scale, normalizer)` of a block; its rows of P are `scale * e`."""
    logits = (q * math.log2(math.e)) @ k.mT
    if normalizer.shape[-1]:
        return logits.sub_(normalizer).exp2_(), 1.0, normalizer
    top = logits.amax(-1, keepdim=True)
    e = logits.sub_(top).exp2_()
    total = e.sum(-1, keepdim=True)
    return e, 1 / total, top.add_(total.log2())
