"""Products with softmax affinities by fused attention, which holds none of them.

`P x` is attention. `P^T y` is its gradient, that of the sum of `y * (P x)` with respect
to x. So both come from the kernels that a GPU has for attention and its training, and
so do the gradients of both: those of q and k are the gradients of one more attention,
with the values `[x | gpty]` against `[gpx | y]`.
"""

import functools
import sys

import keras
from keras import ops

from keras_fusion.ops import blocks
from keras_fusion.ops.blockwise import bottom_padded_keys
from keras_fusion.ops.dense_products import mixing
from keras_fusion.ops.diffusion_precision import without_autocast
from keras_fusion.ops.presence import select

WIDEST = 128  # what kernels take on every GPU that has them
CUDNN_TOKENS = 256  # the fewest for JAX, which has no other kernel: of 11 it fails


def is_fused(dtypes, head_width, tokens):
    """Whether fused attention is there and pays: on a GPU, in bfloat16.

    float16 has not the range of sums over all tokens. In float32 the kernels of torch
    take longer than the products that they save, and JAX has none.

    Args:
        dtypes: Of queries, keys and values.
        head_width: Channels of a key.
        tokens: T, or None where a graph leaves it open.
    """
    half = all("bfloat16" in str(dtype) for dtype in dtypes)
    if not half or head_width > WIDEST or not blocks.on_gpu():
        return False
    return keras.backend.backend() == "torch" or _has_cudnn(tokens)


def _has_cudnn(tokens):
    if keras.backend.backend() != "jax" or not isinstance(tokens, int):
        return False
    if tokens < CUDNN_TOKENS:
        return False
    device = sys.modules["jax"].devices()[0]
    if "cuda" not in device.client.platform_version:
        return False
    return float(device.compute_capability) >= 8


def fused_products(queries, keys, kept=None, present=None):
    """The function `(x, y)` to `(P x, P^T y)`, as of the dense affinities.

    Args:
        queries: Tensor `(M, B, N, T, h)`, in whose dtype factors are multiplied; what
            comes of them is float32.
        keys: Tensor `(M, B, N, T, h)` of the same dtype.
        kept: Boolean tensor `(M, B, 1, T)`, or None.
        present: Boolean tensor `(M, B)`, or None.
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

    return products if present is None else _mixed(products, mixing(present))


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

    def beside(x):
        return x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])

    def mixed(x, y):
        if x is not None:
            x = ops.stack([ops.concatenate(ops.unstack(x, count), axis=-1)] * count)
        if y is not None:
            y = beside(ops.einsum("bim,ibntw->mbntiw", mix, y))
        px, pty = products(x, y)
        px = ops.einsum("bim,mbntiw->ibntw", mix, apart(px))
        return px, ops.einsum("mbntiw->ibntw", apart(pty))

    return mixed


def _products(scale, queries, keys, x, y):
    """`[P x | P^T y]` of tensors `(G, N, T, width)`, x and y as wide or one 0 wide."""
    attention = functools.partial(_attention, scale)

    @ops.custom_gradient
    def products(q, k, x, y):
        @without_autocast  # which may be on again by then
        def gradient(*arguments, upstream=None):
            upstream = arguments[0] if upstream is None else upstream
            width = x.shape[-1]
            gpx, gpty = upstream[..., :width], upstream[..., width:]
            attended, pull = _vjp(attention, q, k, _beside(x, gpty))
            gq, gk, gvalues = pull(_beside(gpx, y))
            return gq, gk, gvalues[..., :width], attended[..., width:]

        if not y.shape[-1]:
            return attention(q, k, x), gradient
        attended, pull = _vjp(attention, q, k, x if x.shape[-1] else y)
        return _beside(attended[..., : x.shape[-1]], pull(y)[-1]), gradient

    return products(queries, keys, x, y)


def _beside(*tensors):
    wide = [x for x in tensors if x.shape[-1]]
    return wide[0] if len(wide) == 1 else ops.concatenate(wide, axis=-1)


def _vjp(function, *tensors):
    """What `function` gives, and the function of its gradient to those of `tensors`."""
    if keras.backend.backend() == "jax":
        return sys.modules["jax"].vjp(function, *tensors)
    torch = sys.modules["torch"]
    with torch.inference_mode(False), torch.enable_grad():
        # what inference mode has made cannot be kept for a gradient
        leaves = [x.clone() if x.is_inference() else x.detach() for x in tensors]
        result = function(*(x.requires_grad_() for x in leaves))
    return result.detach(), functools.partial(torch.autograd.grad, result, leaves)


def _attention(scale, queries, keys, values):
    """`softmax(scale q k^T) v` of tensors `(G, N, T, width)`."""
    kernel = _torch_kernel if keras.backend.backend() == "torch" else _jax_kernel
    attended = []
    for first in range(0, values.shape[-1], WIDEST):
        part = values[..., first : first + WIDEST]
        width = max(queries.shape[-1], part.shape[-1])
        width += -width % 8  # they want one for all, and whole eights
        attended.append(kernel(queries, keys, part, scale, width))
    return _beside(*attended)


def _torch_kernel(queries, keys, values, scale, width):
    functional = sys.modules["torch"].nn.functional

    def widened(x):
        more = width - x.shape[-1]
        return functional.pad(x, (0, more)) if more else x

    inputs = map(widened, (queries, keys, values))
    attended = functional.scaled_dot_product_attention(*inputs, scale=scale)
    return attended[..., : values.shape[-1]]


def _jax_kernel(queries, keys, values, scale, width):
    jax = sys.modules["jax"]

    def widened(x):  # the tokens before the heads
        more = width - x.shape[-1]
        return jax.numpy.pad(x.swapaxes(1, 2), ((0, 0), (0, 0), (0, 0), (0, more)))

    inputs = map(widened, (queries, keys, values))
    fused = values.dtype == "bfloat16" and _has_cudnn(values.shape[2])
    kind = "cudnn" if fused else "xla"
    attended = jax.nn.dot_product_attention(*inputs, scale=scale, implementation=kind)
    return attended.swapaxes(1, 2)[..., : values.shape[-1]]
