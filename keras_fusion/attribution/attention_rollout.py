"""How much of each token reaches each other one through a stack of blocks."""

from collections.abc import Sequence

import numpy as np

from keras_fusion.common.errors import InputError


def attention_rollout(weights: Sequence) -> np.ndarray:
    """How far the tokens that go in count in those that come out.

    `R = A_L ... A_2 A_1` with `A = (W + I) / 2`, W the mean over the heads: half of a
    token stays what it is, by the block's residual, and half is what it attends to.

    Args:
        weights: Of each block in their order, `(B, N, T, T)` of N heads or `(B, T, T)`,
            as token operators give them with `return_weights="tokens"`. A row sums to
            1; that of an absent token is zero.

    Returns:
        `(B, T, T)` float64, whose rows sum to 1: how much of each token (columns) is in
        each token that comes out (rows). An absent token holds itself alone.

    Raises:
        ValueError: If there are no weights, or shapes do not fit.

    Example:

    >>> uniform = np.full((1, 1, 2, 2), 0.5)
    >>> attention_rollout([uniform, uniform]).tolist()
    [[[0.625, 0.375], [0.375, 0.625]]]

    Reference: Abnar and Zuidema, 2020, Quantifying Attention Flow in Transformers.
    """
    blocks = [_of_heads(np.asarray(x, np.float64)) for x in weights]
    shapes = {x.shape for x in blocks}
    if len(shapes) != 1:
        raise InputError(
            "attention_rollout expects the weights of one block or more, each "
            f"(B, N, T, T) of the same tokens; received {sorted(shapes)}."
        )
    rolled = np.eye(blocks[0].shape[-1])
    for block in blocks:
        kept = block + np.eye(block.shape[-1])
        rolled = kept / kept.sum(axis=-1, keepdims=True) @ rolled
    return np.broadcast_to(rolled, blocks[0].shape)


def _of_heads(weights):
    mean = weights.mean(axis=1) if weights.ndim == 4 else weights
    if mean.ndim != 3 or mean.shape[1] != mean.shape[2]:
        raise InputError(
            "attention_rollout expects weights (B, N, T, T) or (B, T, T), of each "
            f"token to each; received shape {weights.shape}."
        )
    return mean
