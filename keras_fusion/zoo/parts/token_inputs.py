"""Encoders of several inputs, as KerasHub has them: token ids and their padding."""

import keras
from keras import ops

from keras_fusion.layers.with_mask import WithMask

_PADDED_WITH = "_padded_with"  # an attribute of an encoder
IDS, PADDING, SEGMENTS = "token_ids", "padding_mask", "segment_ids"


def several(encoder) -> dict:
    """The inputs by name of an encoder that has more than one; else an empty dict."""
    if not isinstance(encoder, keras.Model):
        return {}
    inputs = getattr(encoder, "inputs", None) or []
    if len(inputs) < 2:
        return {}
    named = isinstance(encoder.input, dict)
    return encoder.input if named else {x.name: x for x in inputs}


def taken(name, encoder, x):
    """What an encoder takes of x, from which its several inputs are made, if it has.

    A modality is one tensor. Of token ids the padding is known, which is 0 where
    `pad_with` has not said it, and a segment is the whole of them.

    Args:
        name: The modality's, for messages.
        encoder: Something to call.
        x: The modality; for an encoder of several inputs token ids `(B, T)`.

    Raises:
        ValueError: If the encoder has other inputs.
    """
    inputs = several(encoder)
    if not inputs:
        return x
    if IDS not in inputs or not set(inputs) <= {IDS, PADDING, SEGMENTS}:
        raise ValueError(
            f"The encoder of {name!r} takes the inputs {list(inputs)}, and a modality "
            f"is one tensor: expected an encoder of one input, or of {IDS!r} with "
            f"{PADDING!r} and {SEGMENTS!r}, which are made from the ids. Give a "
            "keras.Model of one input that makes the others."
        )
    made = {
        IDS: lambda: x,
        PADDING: lambda: _is_token(encoder, x),
        SEGMENTS: lambda: x * 0,
    }
    parts = {key: ops.cast(made[key](), inputs[key].dtype) for key in inputs}
    return parts if isinstance(encoder.input, dict) else list(parts.values())


def with_padding(name, encoder, x, outputs):
    """What an encoder of several inputs made of the ids x, masked where x is padding.

    A pooled output becomes one token, so that a text without any is absent.
    """
    if PADDING not in several(encoder):
        return outputs
    kept = _is_token(encoder, x)
    if len(outputs.shape) == 2:
        outputs, kept = outputs[:, None], ops.any(kept, axis=1, keepdims=True)
    return WithMask(name=f"{name}_padding")([outputs, kept])


def pad_with(encoder: keras.Model, number: int) -> None:
    """Says which token id is the padding of an encoder."""
    setattr(encoder, _PADDED_WITH, number)


def _is_token(encoder, ids):
    """`(B, T)` bool, False where there is padding."""
    return ops.not_equal(ids, getattr(encoder, _PADDED_WITH, 0))
