"""Contrastive alignment: what belongs together is closer than what does not."""

import itertools

from keras import ops

from keras_fusion.ops.presence import Presence, precise, select

ABSENT = -1e30  # a logit whose exponential is nothing


def alignment_loss(embeddings, scale=1.0, modality_mask=None):
    """InfoNCE between every two modalities, in both directions.

    For modalities m and n, with `s_ij = scale x_mi . x_ni` of samples i and j that have
    both: the mean over i of `-log softmax_j(s_ij)_i` and of `-log softmax_j(s_ji)_i`.
    The loss is the mean over all pairs of modalities that some sample has.

    Args:
        embeddings: list of M >= 2 tensors `(B, U)`, of unit length as a rule.
        scale: Number or scalar tensor, one by the temperature.
        modality_mask: `(B, M)` bool, True = present, or None (all present). What an
            absent embedding holds has no influence.

    Returns:
        Scalar, float32 or float64. Zero where no sample has two modalities.

    Reference: van den Oord, Li and Vinyals, 2018, Representation Learning with
    Contrastive Predictive Coding; Radford et al., 2021, Learning Transferable Visual
    Models From Natural Language Supervision (CLIP: both directions).
    """
    present = Presence.of(embeddings, modality_mask)
    embeddings = [precise(x) for x in present.select(embeddings)]
    total = count = 0.0
    for (m, first), (n, second) in itertools.combinations(enumerate(embeddings), 2):
        both = present.pick([m, n]).all()  # (B, 1)
        loss = _of_pair(scale * ops.matmul(first, ops.transpose(second)), both)
        some = 1.0 if both is None else ops.cast(ops.any(both), loss.dtype)
        total, count = total + loss, count + some
    return total / ops.maximum(count, 1.0)


def _of_pair(logits, both):
    """Mean over the samples that have both modalities, `(B, B)` to a scalar."""
    kept = None
    if both is not None:
        kept = ops.logical_and(both, ops.transpose(both))  # (B, B)
        logits = select(logits, kept, ABSENT)
    right = ops.diagonal(logits)
    lost = sum(ops.logsumexp(logits, axis=axis) - right for axis in (0, 1)) / 2
    if both is None:
        return ops.mean(lost)
    lost = select(lost, both[:, 0])
    return ops.sum(lost) / ops.maximum(ops.sum(ops.cast(both, lost.dtype)), 1)
