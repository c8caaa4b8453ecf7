"""What a mask of tokens leaves out has no influence on what is kept."""

from keras_fusion.layers.arguments import require_mask
from keras_fusion.ops.pooling import position_mean
from keras_fusion.ops.presence import Presence


def kept(layer, inputs, mask):
    """Which positions are kept, `(B, *S, 1)` bool; None without a mask.

    Args:
        layer: That was given the mask.
        inputs: `(B, *S, C)`.
        mask: bool over the batch and the first axes of S, True = keep, or None.
    """
    require_mask(layer, "mask", mask)
    return Presence.of([inputs], mask=[mask])[0]


def position_means(layer, inputs, mask):
    """Mean over the positions that are kept: `(B, 1, ..., C)`, zero without any."""
    return position_mean(inputs, kept(layer, inputs, mask))
