import keras

from keras_fusion.zoo.parts import linear_path as linear
from keras_fusion.zoo.parts.blocks import fuse, template
from keras_fusion.zoo.parts.encoders import encode
from keras_fusion.zoo.parts.entrance import entrance
from keras_fusion.zoo.parts.heads import classifier, predictions
from keras_fusion.zoo.parts.inputs import as_query
from keras_fusion.zoo.parts.record import builder
from keras_fusion.zoo.parts.replacement import replaced
from keras_fusion.zoo.weights import load_weights

# What a model of one modality has in common with one that fuses.
SHARED = ("encoder_depth", "units", "encoders", "dropout", "classifier_activation")


@builder(alone="UnimodalClassifier", alone_takes=SHARED)
def FusionClassifier(
    input_shapes: dict,
    classes: int,
    *,
    fusion="ScalarWeighting",
    encoder_depth: int = 1,
    depth: int = 1,
    units: int = 64,
    encoders: dict | None = None,
    query: str | None = None,
    dropout: float = 0.5,
    modality_dropout: float | None = None,
    modality_corruption: float = 0.0,
    replacement: str = "zero",
    modality_mask: bool = False,
    heads: str | None = None,
    linear_path: bool | None = None,
    include_top: bool = True,
    classifier_activation: str | None = "softmax",
    weights: str | None = None,
    name: str = "fusion_classifier",
) -> keras.Model:
    """A classifier of several inputs about one thing: encoders, fusion, head.

    Inputs: a dict of float tensors by modality, `(B, D)` vectors, `(B, T, D)`
    sequences, `(B, H, W, C)` maps or `(B, T, H, W, C)` volumes, and with
    `modality_mask=True` also `"modality_mask"` `(B, M)` bool, True = present, its
    columns in the order of `input_shapes`. Whatever an absent modality holds, NaN
    included, changes nothing; with all absent the head sees zeros, or what the learned
    vectors fuse to. In a sequence a token of zeros is padding, and one that is nothing
    else is absent.
    Output: `(B, classes)` float32.

    Args:
        input_shapes: Shape without batch axis of each modality, by name.
        classes: Number of classes, any integer type. `classes=1` with
            `classifier_activation=None` is regression, which reads better as
            `FusionModel(input_shapes, "regression")`.
        fusion: An operator's name (see `keras_fusion.layers`, or `package>Name` of
            one's own that is registered with Keras), `{"class_name": ..., "config":
            {...}}`, or an operator as a template that each block copies.
        encoder_depth: Layers of the default encoders; 0 is only the projection (early
            fusion).
        depth: Number of fusion blocks, at least 1. Each but the last hands its result
            back to the modalities.
        units: Width of the encoders' outputs and of the fusion.
        encoders: By modality, in place of the default encoder: a `keras.Model`, or a
            list of layers `{"class_name": ..., "config": {...}}`, of Keras or of
            `keras_fusion.layers`, or a network by name, as `backbone` takes it, or
            `{"backbone": name, "weights": ..., "trainable": ...}`. A model of several
            inputs, as KerasHub has them, gets the modality as `token_ids`, and
            `padding_mask` where an id is not 0.
        query: Name of the modality whose encoding is the operator's query, for
            operators that read out with one.
        dropout: Rate in default encoders and before the head.
        modality_dropout: Rate at which training drops modalities, sample by sample,
            never the last one present. None is 0.3 with a `modality_mask`, so that the
            model has met what it will meet, and 0 without.
        modality_corruption: Rate at which training corrupts modalities, sample by
            sample, as `keras_fusion.layers.ModalityCorruption` does, never all of those
            present. It helps against inputs that lie in use.
        replacement: What the operator gets of an absent modality: `"zero"`, nothing,
            since it leaves it out; or `"learned"`, a vector of weights in place of the
            encoding, which it takes for present, and which counts in
            `zoo.modality_weights`. What training drops is replaced alike. It learns
            only where modalities are absent in training, or dropped.
        modality_mask: Whether the model takes a mask of what is present. The weights
            are the same with and without. Under TensorFlow's `MirroredStrategy` give it
            as int32: Keras averages the first batch, and booleans have no mean.
        heads: None, or a head for each modality, whose loss is added in training, so
            that every encoder learns by itself: `"train"`, for that alone, or
            `"average"`, to predict the mean of what they and the fusion predict, over
            what is present. For numbers and for classes in an order that is `"train"`:
            a modality may give a part of a sum, and a mean of parts falls short of it.
        linear_path: Whether vectors, tables and texts also go to a linear model beside
            the network, which does nothing until `zoo.blend_linear` fits it after
            `fit`. None: in regression alone. A text is what an encoder described as a
            list takes that begins with an `Embedding`; its words count by how rare they
            are, those with the 2,000 lowest codes.
        include_top: Whether there is a head; else the output is `(B, units)`.
        classifier_activation: Of the head; or `"cumulative_link"` or
            `"continuation_ratio"` for classes in an order, which are the heads
            `keras_fusion.layers.CumulativeLink` and `ContinuationRatio`.
        weights: None, the name of a trained recipe, or a weights file.
        name: Of the model.

    Returns:
        An uncompiled functional model.

    Raises:
        ValueError: If an argument does not fit; the message says what came.

    Example:

    >>> model = FusionClassifier({"shape": (64,), "texture": (32,)}, classes=100)
    >>> model.output_shape
    (None, 100)
    """
    inputs, seen, mask, encoders = entrance(
        input_shapes,
        encoders,
        modality_mask=modality_mask,
        modality_dropout=modality_dropout,
        modality_corruption=modality_corruption,
    )
    operator = template(fusion, units)
    beside = None
    if linear.wanted(linear_path, classes, classifier_activation) and include_top:
        head = classes, classifier_activation
        beside = linear.linear_path(seen, encoders, mask, *head)
    encoded, mask = encode(
        seen,
        encoders,
        operator.takes,
        mask=mask,
        depth=encoder_depth,
        units=units,
        dropout=dropout,
    )
    seen, heeded = replaced(encoded, mask, replacement)
    fused = fuse(
        operator,
        list(seen.values()),
        depth,
        modality_mask=heeded,
        query=as_query(query, seen, heeded, encoders),
    )
    outputs = predictions(
        fused,
        encoded,
        classes,
        heads=heads,
        modality_mask=mask,
        dropout=dropout,
        activation=classifier_activation,
        include_top=include_top,
    )
    if beside is not None:
        outputs = linear.blended(outputs, beside, mask, classifier_activation)
    model = classifier(inputs, outputs, heads, name)
    load_weights(model, weights)
    return model
