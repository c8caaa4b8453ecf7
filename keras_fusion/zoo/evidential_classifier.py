import keras

from keras_fusion.common.names import MASK
from keras_fusion.layers import EvidentialFusion, EvidentialModel
from keras_fusion.zoo.fusion_classifier import SHARED
from keras_fusion.zoo.parts.encoders import encode
from keras_fusion.zoo.parts.entrance import entrance
from keras_fusion.zoo.parts.heads import alone
from keras_fusion.zoo.parts.record import builder
from keras_fusion.zoo.weights import load_weights


@builder(alone="UnimodalClassifier", alone_takes=SHARED)
def EvidentialClassifier(
    input_shapes: dict,
    classes: int,
    *,
    rule: str = "dempster",
    annealing: int = 1000,
    encoder_depth: int = 1,
    units: int = 64,
    encoders: dict | None = None,
    dropout: float = 0.0,
    modality_dropout: float | None = None,
    modality_corruption: float = 0.0,
    modality_mask: bool = False,
    weights: str | None = None,
    name: str = "evidential_classifier",
) -> keras.Model:
    """A classifier that knows how uncertain it is, and where modalities contradict.

    Each modality has an encoder and a head that gives evidence for every class;
    `EvidentialFusion` combines these opinions. It trains by the evidential loss of all
    opinions under plain `model.fit`, whatever loss was compiled for validation.

    Inputs: as for `FusionClassifier`.
    Output: the expected probabilities `(B, classes)` float32. The layer `fusion` has
    the `uncertainty` `(B,)` and the `conflict` `(B,)` as its other outputs, and
    `zoo.deployable` gives all three.

    Args:
        input_shapes: Shape without batch axis of each modality, by name.
        classes: Number of classes, 2 or more.
        rule: How opinions are combined: `"dempster"`, `"averaging"` or
            `"cumulation"`; see `keras_fusion.layers.EvidentialFusion`.
        annealing: Steps of training over which evidence for wrong classes comes to
            count.
        encoder_depth, units, encoders: As for `FusionClassifier`.
        dropout: Rate in default encoders and before the heads. With it evidence stays
            small, so that the model is less sure than it is right.
        modality_dropout, modality_corruption, modality_mask, weights, name: As for
            `FusionClassifier`. There is no `replacement`: of what is absent there is no
            evidence, which is an opinion that changes nothing.

    Returns:
        An uncompiled functional model.

    Raises:
        ValueError: If an argument does not fit; the message says what came.

    Example:

    >>> model = EvidentialClassifier({"shape": (64,), "texture": (32,)}, classes=100)
    >>> model.output_shape
    (None, 100)

    Reference: Han, Zhang, Fu and Zhou, 2021, Trusted Multi-View Classification.
    """
    if classes == 1:
        raise ValueError(
            "EvidentialClassifier expects 2 classes or more; received classes=1."
        )
    inputs, seen, mask, encoders = entrance(
        input_shapes,
        encoders,
        modality_mask=modality_mask,
        modality_dropout=modality_dropout,
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
    evidence = alone(encoded, classes, dropout=dropout, activation="softplus")
    call = {} if mask is None else {MASK: mask}
    fusion = EvidentialFusion(rule, annealing, dtype="float32", name="fusion")
    probabilities, _, _ = fusion(evidence, **call)
    model = EvidentialModel(inputs, probabilities, name=name)
    load_weights(model, weights)
    return model
