"""Sets of tokens `(B, T_m, D)`, one per modality, side by side and pooled."""

import functools
import itertools

import keras
from keras import ops

from keras_fusion.ops.attention import affinity_logits, mix
from keras_fusion.ops.presence import precise, select, softmax


def split_heads(x, num_heads):
    """`(B, T, N h)` to `(B, N, T, h)`, whether B and T are known or not."""
    return ops.stack(ops.split(x, num_heads, axis=-1), axis=1)


def join_heads(x):
    """`(B, N, T, h)` to `(B, T, N h)`."""
    return ops.concatenate(ops.unstack(x, axis=1), axis=-1)


def attend(queries, keys, values, kept=None, drop=None, pairs=None):
    """Attention of every query token to the key tokens, per head.

    Args:
        queries: `(B, N, Q, h)`.
        keys, values: `(B, N, T, h)`.
        kept: `(B, T or 1, 1)` bool, True = may be attended to, or None (all).
        drop: Function applied to the weights before they are used, or None.
        pairs: `(B or 1, Q, T)` bool, True = the query may attend to the key, or None.

    Returns:
        What each query receives `(B, N, Q, h)`, zeros where it has no key, and a
        function that returns the weights `(B, N, Q, T)` float32.
    """
    if kept is not None:
        # A mask that is the same for all keys must be spread out for torch on a GPU.
        everywhere = ops.ones_like(keys[:, :1, None, :, 0], dtype="bool")
        kept = ops.logical_and(ops.swapaxes(kept, 1, 2)[:, None], everywhere)
        # (B, 1, 1, T)
    if pairs is not None:
        pairs = ops.cast(pairs, "bool")[:, None]  # (B, 1, Q, T)
        kept = pairs if kept is None else ops.logical_and(kept, pairs)
    weigh = functools.partial(_weigh, queries, keys, kept)
    # Eager torch passes over the weights once for each step of the softmax; its fused
    # attention takes a half to a quarter of the time and never holds them. Compiled by
    # the other backends, the plain steps are at least as fast as theirs.
    if keras.backend.backend() == "torch" and drop is None:
        return _fused(queries, keys, values, kept), weigh
    weights = weigh()
    return mix(drop(weights) if drop else weights, values), lambda: weights


def _weigh(queries, keys, kept):
    return softmax(affinity_logits(queries, keys), kept)


def _fused(queries, keys, values, kept):
    parts = [ops.swapaxes(x, 1, 2) for x in (queries, keys, values)]
    received = ops.swapaxes(ops.dot_product_attention(*parts, mask=kept), 1, 2)
    if kept is None:
        return received
    return select(received, ops.any(kept, axis=-1, keepdims=True))


class TokenWeights:
    """Weights of attention between tokens: called, by modality, and by token.

    Args:
        weights: Function that returns `(B, N, Q, T)`, T the tokens of all modalities.
        spans: From `token_spans`.
    """

    def __init__(self, weights, spans):
        self.of_tokens = weights
        self.spans = spans

    def __call__(self):
        """`(B, N, Q, M)`."""
        return ops.stack(modality_shares(self.of_tokens(), self.spans), axis=-1)


def causal_mask(counts):
    """Which token may attend to which where none may look ahead.

    A token at place t of its modality may attend to the tokens of places 0 to t of
    every modality.

    Args:
        counts: Numbers of tokens of the modalities, in order.

    Returns:
        `(1, T, T)` bool, T the sum of the counts, for `attention_mask`.

    Example:

    >>> keras.ops.convert_to_numpy(causal_mask([2, 1]))[0].astype(int).tolist()
    [[1, 0, 1], [1, 1, 1], [1, 0, 1]]
    """
    places = ops.concatenate([ops.arange(count) for count in counts])
    return (places[:, None] >= places)[None]


def token_spans(inputs):
    """Where each modality's tokens begin and end when all stand side by side.

    Args:
        inputs: list of M tensors `(B, T_m, D)`.

    Returns:
        list of M pairs, ints where the number of tokens is known.
    """
    counts = [x.shape[1] or ops.shape(x)[1] for x in inputs]
    return list(itertools.pairwise(itertools.accumulate(counts, initial=0)))


def modality_shares(weights, spans):
    """How much of each query's attention went to each modality.

    Args:
        weights: `(B, N, Q, sum T)`, from `attend`.
        spans: From `token_spans`.

    Returns:
        list of M tensors `(B, N, Q)`.
    """
    return [ops.sum(weights[..., start:end], axis=-1) for start, end in spans]


def select_queries(weights, there=None):
    """Weights `(B, N, Q, M)`, zero for queries that are not there `(B, Q or 1, 1)`."""
    return weights if there is None else select(weights, there[:, None])


def pool_tokens(streams, present, readout="mean"):
    """Mean or maximum over all tokens that are present, of all modalities together.

    Args:
        streams: list of M tensors `(B, T_m, D)`.
        present: `Presence` of the streams.
        readout: `"mean"` or `"max"`.

    Returns:
        `(B, D)`. Where nothing is present zeros, or -inf for `"max"`.
    """
    if readout == "max":
        streams = present.select(streams, -float("inf"))
        return functools.reduce(ops.maximum, [ops.max(x, axis=1) for x in streams])
    kept = [ops.ones_like(precise(x[..., :1])) for x in streams]
    count, total = [
        sum(ops.sum(precise(x), axis=1) for x in present.select(xs))
        for xs in (kept, streams)
    ]
    return ops.cast(total / ops.maximum(count, 1), streams[0].dtype)
