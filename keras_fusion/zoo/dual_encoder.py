import keras

from keras_fusion.common.names import MASK
from keras_fusion.layers import ContrastiveAlignment
from keras_fusion.zoo.parts.encoders import encode
from keras_fusion.zoo.parts.entrance import entrance
from keras_fusion.zoo.weights import load_weights


def DualEncoder(
    input_shapes: dict,
    *,
    encoder_depth: int = 1,
    units: int = 64,
    encoders: dict | None = None,
    dropout: float = 0.0,
    temperature: float = 0.07,
    modality_corruption: float = 0.0,
    modality_mask: bool = False,
    weights: str | None = None,
    name: str = "dual_encoder",
) -> keras.Model:
    """Encoders of two or more modalities into one space, to find one by another.

    An encoder for each modality, then `ContrastiveAlignment`, whose loss the model has
    by itself: `model.compile("adam")` and `model.fit(inputs)` train it without labels.
    What belongs together is a row of the batch, and the other rows are what it is told
    apart from, so batches should be large. `metrics.recall_at_k` judges it.

    Inputs: those of `FusionClassifier`. Output: a dict by modality of float32 tensors
    `(B, units)` of unit length, zero where the modality is absent. An absent modality
    has no influence on the loss either.

    Args:
        input_shapes: Shape without batch axis of each modality, by name.
        encoder_depth: Layers of the default encoders; 0 is only the projection.
        units: Width of the encoders' outputs and of the common space.
        encoders: As for `FusionClassifier`.
        dropout: Rate in default encoders.
        temperature: Where the learned temperature of the loss begins.
        modality_corruption: As for `FusionClassifier`. There is no `replacement`: what
            is absent has no place in the common space.
        modality_mask: Whether the model takes a mask of what is present.
        weights: None, or a weights file.
        name: Of the model.

    Returns:
        An uncompiled functional model.

    Raises:
        ValueError: If an argument does not fit; the message says what came.

    Example:

    >>> model = DualEncoder({"caption": (20, 8), "picture": (32, 32, 3)}, units=16)
    >>> {name: tuple(x.shape) for name, x in model.output.items()}
    {'caption': (None, 16), 'picture': (None, 16)}

    Reference: Radford et al., 2021, Learning Transferable Visual Models From Natural
    Language Supervision.
    """
    if not isinstance(input_shapes, dict) or len(input_shapes) < 2:
        raise ValueError(
            "DualEncoder expects input_shapes of two or more modalities; received "
            f"{input_shapes!r}."
        )
    inputs, seen, mask, encoders = entrance(
        input_shapes,
        encoders,
        modality_mask=modality_mask,
        modality_corruption=modality_corruption,
    )
    encoded, mask = encode(
        seen,
        encoders,
        "aligned",
        mask=mask,
        depth=encoder_depth,
        units=units,
        dropout=dropout,
    )
    align = ContrastiveAlignment(units, temperature, dtype="float32", name="alignment")
    call = {} if mask is None else {MASK: mask}
    embeddings = align(list(encoded.values()), **call)
    model = keras.Model(inputs, dict(zip(encoded, embeddings)), name=name)
    load_weights(model, weights)
    return model
