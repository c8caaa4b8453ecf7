"""The fused attention of JAX and torch, and its gradient as a value like any other."""

import functools
import sys

import keras
from keras import ops

from keras_fusion.ops.diffusion import blocks

WIDEST = 128  # what kernels take on every GPU that has them
CUDNN_TOKENS = 256  # the fewest for JAX, which has no other kernel: 11 were too few


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


def vjp(function, *tensors):
    """What `function` gives, and the function of its gradient to those of `tensors`."""
    if keras.backend.backend() == "jax":
        return sys.modules["jax"].vjp(function, *tensors)
    torch = sys.modules["torch"]
    with torch.inference_mode(False), torch.enable_grad():
        # what inference mode has made cannot be kept for a gradient
        leaves = [x.clone() if x.is_inference() else x.detach() for x in tensors]
        result = function(*(x.requires_grad_() for x in leaves))
    return result.detach(), functools.partial(torch.autograd.grad, result, leaves)


def attention(scale, queries, keys, values):
    """`softmax(scale q k^T) v` of tensors `(G, N, T, width)`."""
    kernel = _torch_kernel if keras.backend.backend() == "torch" else _jax_kernel
    attended = []
    for first in range(0, values.shape[-1], WIDEST):
        part = values[..., first : first + WIDEST]
        width = max(queries.shape[-1], part.shape[-1])
        width += -width % 8  # they want one for all, and whole eights
        attended.append(kernel(queries, keys, part, scale, width))
    return beside(*attended)


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


def beside(*tensors):
    """Side by side on the last axis, without what is 0 wide."""
    wide = [x for x in tensors if x.shape[-1]]
    return wide[0] if len(wide) == 1 else ops.concatenate(wide, axis=-1)
