import keras
from keras import layers

from keras_fusion.common.catalogue import find
from keras_fusion.common.names import safe_names
from keras_fusion.layers.arguments import require_positive
from keras_fusion.zoo.parts.blocks import fuse, template
from keras_fusion.zoo.parts.encoders import check_encoders, hand_over, pool_positions
from keras_fusion.zoo.parts.entrance import entrance
from keras_fusion.zoo.parts.given import given, one_output, told_apart
from keras_fusion.zoo.parts.heads import classifier, predictions
from keras_fusion.zoo.parts.inputs import as_query
from keras_fusion.zoo.parts.record import builder
from keras_fusion.zoo.parts.replacement import replaced
from keras_fusion.zoo.parts.video import (
    as_volumes,
    augmented,
    exchange,
    frames_side_by_side,
    stage,
)
from keras_fusion.zoo.weights import load_weights

POOLINGS = {"average": pool_positions, "frames": frames_side_by_side}


@builder(by_modality=("augmentation", "encoders", "heatmaps"))
def TwoStreamVideoClassifier(
    input_shapes: dict,
    classes: int,
    *,
    fusion="AdaptiveWeighting",
    encoder_depth: int = 3,
    depth: int = 1,
    units: int = 64,
    encoders: dict | None = None,
    heatmaps: dict | None = None,
    augmentation: dict | None = None,
    pooling: str = "average",
    lateral: bool = False,
    query: str | None = None,
    dropout: float = 0.0,
    modality_dropout: float = 0.0,
    modality_corruption: float = 0.0,
    replacement: str = "zero",
    modality_mask: bool = False,
    heads: str | None = None,
    include_top: bool = True,
    classifier_activation: str | None = "softmax",
    weights: str | None = None,
    name: str = "two_stream_video_classifier",
) -> keras.Model:
    """A classifier of two or more videos of one scene, such as frames and poses.

    Each stream goes through a small network of its own and is pooled to a vector, and
    an operator fuses the vectors. Inputs are `(B, T, H, W, C)` by stream, C free
    (3 for color, 1 for depth, 17 for heatmaps), or joints `(B, T, J, 2)` that become
    heatmaps inside the model; else inputs, mask and output are those of
    `FusionClassifier`. What to beat: the mean of the streams' own predictions,
    `LateFusionClassifier(..., models={...})`.

    Args:
        input_shapes: `(T, H, W, C)` of each stream, or `(T, J, 2)`, by name. The sizes
            of streams may differ.
        classes: Number of classes, any integer type.
        fusion: As for `FusionClassifier`; the operator must take aligned inputs.
        encoder_depth: Stages of a stream. Each halves height and width and keeps all
            frames; the last is `units` wide, the one before half of it, and so on.
        depth: Number of fusion blocks, at least 1.
        units: Width of the encoders' outputs and of the fusion.
        encoders: By stream, in place of the stages, as for `FusionClassifier`.
        heatmaps: Arguments of `JointHeatmaps` for each stream that is joints, as
            `{"skeleton": {"size": (32, 32)}}`.
        augmentation: By stream, layers that its input goes through first, such as
            `[{"class_name": "VideoJitter"}]` for one of volumes.
        pooling: Of the encoders' volumes: `"average"` over time and space, or
            `"frames"`, over space alone with all frames side by side, so that it counts
            when something happens: for clips that show one action from start to end.
        lateral: Whether after every stage but the last each stream receives the others.
            They must agree in T, H and W then.
        query: Name of the stream whose vector is the query, for operators with one.
        dropout: Rate inside the stages, and for the vectors and the head.
        modality_dropout, modality_corruption, replacement: As for `FusionClassifier`.
        modality_mask, heads, include_top, classifier_activation: As for it, too.
        weights, name: Likewise.

    Returns:
        An uncompiled functional model.

    Raises:
        ValueError: If an argument does not fit, a volume has its channels first, or
            streams that are to be connected differ in size; the message says what came.

    Example:

    >>> shapes = {"depth": (12, 24, 32, 1), "skeleton": (12, 20, 2)}
    >>> heatmaps = {"skeleton": {"size": (24, 32)}}
    >>> model = TwoStreamVideoClassifier(shapes, classes=27, heatmaps=heatmaps)
    >>> model.output_shape
    (None, 27)

    References: Feichtenhofer, 2020, X3D: Expanding Architectures for Efficient Video
    Recognition. Duan et al., 2022, Revisiting Skeleton-based Action Recognition.
    Feichtenhofer et al., 2019, SlowFast Networks (the lateral connections).
    """
    inputs, streams, mask, encoders = entrance(
        input_shapes,
        encoders,
        modality_mask=modality_mask,
        modality_dropout=modality_dropout,
        modality_corruption=modality_corruption,
    )
    operator = template(fusion, units)
    require_positive(operator, "encoder_depth", encoder_depth)
    if operator.takes != "aligned":
        raise ValueError(
            f"{type(operator).__name__} fuses sets of tokens; the streams are pooled "
            "to aligned vectors."
        )
    pool = find("pooling", pooling, POOLINGS)
    check_encoders(streams, encoders, encoder_depth)
    if lateral and encoders:
        raise ValueError(
            "Lateral connections are between the library's own stages: use "
            f"lateral=False with encoders for {list(encoders)}."
        )
    streams = augmented(streams, augmentation or {})
    streams = as_volumes(streams, heatmaps or {})
    safe = safe_names(streams)
    for m, encoder in told_apart(encoders).items():
        column = list(streams).index(m)
        encoded = given(safe[m], encoder, streams[m], mask=mask, column=column)
        streams[m] = one_output(m, encoded, "aligned")
    staged = [m for m in streams if m not in encoders]
    for i in range(encoder_depth):
        width = max(1, units >> (encoder_depth - 1 - i))
        for m in staged:
            streams[m] = stage(f"{safe[m]}_stage_{i}", streams[m], width, dropout)
        if lateral and i < encoder_depth - 1 and len(streams) > 1:
            streams = exchange(f"lateral_{i}", streams, mask)
    streams = {m: pool(x) for m, x in streams.items()}
    vectors = {m: hand_over(safe[m], x, "aligned", units) for m, x in streams.items()}
    seen, heeded = replaced(vectors, mask, replacement)
    fused = fuse(
        operator,
        [
            layers.Dropout(dropout, name=f"{safe[m]}_vector_dropout")(x)
            for m, x in seen.items()
        ],
        depth,
        modality_mask=heeded,
        query=as_query(query, seen, heeded, encoders),
    )
    outputs = predictions(
        fused,
        vectors,
        classes,
        heads=heads,
        modality_mask=mask,
        dropout=dropout,
        activation=classifier_activation,
        include_top=include_top,
    )
    model = classifier(inputs, outputs, heads, name)
    load_weights(model, weights)
    return model
