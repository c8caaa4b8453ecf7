"""The head of the fusion, and if asked one for each modality beside it."""

import keras

from keras_fusion.common.names import MASK, safe_names
from keras_fusion.layers.heads import HEADS, HeadedModel, Heads
from keras_fusion.zoo.parts.head import ORDINAL, classify, is_regression

FUSED = "predictions_fused"  # no modality's head can be called so


def predictions(
    fused,
    streams: dict,
    classes: int,
    *,
    heads: str | None,
    modality_mask,
    dropout: float,
    activation,
    include_top: bool = True,
):
    """Class probabilities `(B, classes)`, or without top the features `(B, U)`.

    Args:
        fused: `(B, ..., U)`.
        streams: Each modality's encoding, `(B, ..., U_m)` by name, for its own head.
        classes: Number of classes.
        heads: `"train"`, `"average"` or None, as for `FusionClassifier`.
        modality_mask: `(B, M)` or None.
        dropout: Rate before each head.
        activation: Of every head.
        include_top: Whether there are heads at all.
    """
    check_heads(heads, include_top)
    top = {"dropout": dropout, "activation": activation}
    if heads is None:
        return classify(fused, classes, include_top=include_top, **top)
    if is_regression(classes, activation) or activation in ORDINAL:
        heads = "train"  # each head has a part of a sum, of which a mean falls short
    whole = classify(fused, classes, name=FUSED, **top)
    return joined(whole, alone(streams, classes, **top), heads, modality_mask)


def alone(streams, classes, *, dropout, activation) -> list:
    """The predictions from the encoding of each modality, by a head of its own."""
    safe = safe_names(streams)
    top = {"dropout": dropout, "activation": activation}
    return [
        classify(x, classes, name=f"{safe[m]}_predictions", **top)
        for m, x in streams.items()
    ]


def joined(fused, single, heads, modality_mask):
    """The model's output from the fused prediction and those of each modality."""
    mask = {} if modality_mask is None else {MASK: modality_mask}
    return Heads(heads, dtype="float32", name="predictions")([fused, *single], **mask)


def classifier(inputs, outputs, heads, name) -> keras.Model:
    """The model, of the class that trains its heads where it has them."""
    return (HeadedModel if heads else keras.Model)(inputs, outputs, name=name)


def check_heads(heads, include_top=True) -> None:
    """Raises a ValueError unless this is a way to have heads."""
    if heads not in (None, *HEADS):
        raise ValueError(f"heads must be None or one of {HEADS}; received {heads!r}.")
    if heads and not include_top:
        raise ValueError(
            f"heads={heads!r} is about predictions, but include_top=False leaves them "
            "out: use heads=None."
        )
