"""What stands before the encoders of a classifier."""

from keras_fusion.zoo.parts.described import resolved
from keras_fusion.zoo.parts.inputs import (
    corrupted,
    named_inputs,
    replace_absent,
    stand_in,
)

MODALITY_DROPOUT = 0.3  # where modalities may be missing and nobody says a rate


def entrance(
    input_shapes: dict,
    encoders: dict | None,
    *,
    modality_mask: bool,
    modality_dropout: float | None = 0.0,
    modality_corruption: float = 0.0,
):
    """From the inputs of a model to what its encoders see.

    Args:
        input_shapes, encoders, modality_mask, modality_dropout, modality_corruption: As
            for `FusionClassifier`.

    Returns:
        `(inputs, seen, mask, encoders)`: the inputs by name; what the encoders see, by
        name; `(B, M)` of what is present, or None where nothing can be absent; and the
        encoders that are given, those among them that are named or described made.

    Raises:
        ValueError: If an argument does not fit.
    """
    encoders = resolved(encoders, input_shapes)
    inputs = named_inputs(input_shapes, modality_mask, encoders)
    if modality_dropout is None:
        modality_dropout = MODALITY_DROPOUT if modality_mask else 0.0
    sensed = corrupted(inputs, modality_corruption)
    streams, mask = replace_absent(sensed, modality_dropout)
    return inputs, stand_in(streams, sensed, mask, encoders), mask, encoders
