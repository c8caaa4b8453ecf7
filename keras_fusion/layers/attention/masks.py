"""What a mask of tokens leaves out has no influence on what is kept."""

from keras import ops

from keras_fusion.layers.arguments import require_mask
from keras_fusion.ops.presence import presence, select


def kept(layer, inputs, mask):
    """Which positions are kept, `(B, *S, 1)` bool; None without a mask.

    Args:
        layer: That was given the mask.
        inputs: `(B, *S, C)`.
        mask: bool over the batch and the first axes of S, True = keep, or None.
    """
    require_mask(layer, "mask", mask)
    return None if mask is None else presence([inputs], mask=[mask])[0]


def position_means(layer, inputs, mask):
    """Mean over the positions that are kept: `(B, 1, ..., C)`, zero without any."""
    there = kept(layer, inputs, mask)
    axes = tuple(range(1, len(inputs.shape) - 1))
    means = ops.mean(select(inputs, there), axis=axes, keepdims=True)
    if there is None:
        return means
    share = ops.mean(ops.cast(there, "float32"), axis=axes, keepdims=True)
    share = ops.cast(select(share, share > 0, 1.0), means.dtype)
    return means / share
