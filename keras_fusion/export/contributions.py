"""The signature that says what each modality contributed to the outputs."""

import math

import keras
from keras import ops

from keras_fusion.common.coalitions import EXACT, all_coalitions, shapley_weights
from keras_fusion.common.errors import InputError
from keras_fusion.common.names import (
    DEFAULT,
    EDGES,
    MASKED,
    MEDIAN,
    MODALITY_WEIGHTS,
    SETS,
)
from keras_fusion.export.signatures import Signature, signatures_of

# They jump, or are of the modalities themselves.
NOT_SHARED = {MEDIAN, SETS, MODALITY_WEIGHTS}


def contributions_of(model: keras.Model) -> Signature:
    """The Shapley value of each of M modalities in the outputs, row by row.

    It takes what `serving_masked` takes, and gives `(B, M, ...)` for an output
    `(B, ...)`, by the same name. With the answer to no modality the values add up to
    the output. All 2^M coalitions are asked in one batch, so a row costs 2^M rows.

    Args:
        model: A functional model with a dict of named inputs and a `modality_mask`.

    Raises:
        ValueError: If it has no `modality_mask`, more than 8 modalities, or takes a
            graph, whose nodes are not asked one by one.

    Reference: Shapley, 1953, A Value for n-Person Games.
    """
    signatures = signatures_of(model)
    masked = signatures.get(MASKED[DEFAULT])
    if masked is None or EDGES & masked.inputs.keys():
        raise InputError(
            "contributions takes modalities away, row by row: it needs a model with an "
            f"input `modality_mask` and no graph; this one takes {list(model.input)}."
        )
    flags = [name for name in masked.inputs if name not in signatures[DEFAULT].inputs]
    if len(flags) > EXACT:
        raise InputError(
            f"contributions asks all 2^M coalitions of at most {EXACT} modalities; "
            f"this model has {len(flags)}."
        )
    return Signature(masked.inputs, _shared(masked.answer, flags))


def _shared(answer, flags):
    members, weights = all_coalitions(len(flags)), shapley_weights(len(flags))
    count = len(members)  # S

    def shared(tensors):
        asked = {name: ops.repeat(x, count, axis=0) for name, x in tensors.items()}
        for flag, member in zip(flags, members.T):
            there = ops.logical_and(tensors[flag][:, None], member[None])  # (B, S)
            asked[flag] = ops.reshape(there, (-1,))
        present = ops.stack([tensors[flag] for flag in flags], axis=1)  # (B, M)
        return {
            name: _values(x, weights, present)
            for name, x in answer(asked).items()
            if name not in NOT_SHARED and x.dtype != "string"
        }

    return shared


def _values(worth, weights, present):
    """`(B * S, ...)` to `(B, M, ...)`, by weights `(M, S)`; 0 of what is absent."""
    shape = worth.shape[1:]
    worth = ops.reshape(worth, (-1, weights.shape[1], math.prod(shape)))
    values = ops.matmul(ops.convert_to_tensor(weights, worth.dtype), worth)
    values = ops.where(present[..., None], values, 0)
    return ops.reshape(values, (-1, len(weights), *shape))
