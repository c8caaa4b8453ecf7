import keras

from keras_fusion.zoo.parts.blocks import fuse, template
from keras_fusion.zoo.parts.entrance import entrance
from keras_fusion.zoo.parts.heads import classifier, predictions
from keras_fusion.zoo.parts.record import builder
from keras_fusion.zoo.parts.replacement import replaced
from keras_fusion.zoo.parts.tokens import require_aligned, tokenise
from keras_fusion.zoo.weights import load_weights

READOUTS = ("pool", "token")


@builder(by_modality=("encoders", "patch_size"))
def MutualFormerClassifier(
    input_shapes: dict,
    classes: int,
    *,
    fusion="MutualFormerBlock",
    stem: str = "patch",
    patch_size: int | dict = 4,
    readout: str = "pool",
    encoder_depth: int = 0,
    depth: int = 2,
    units: int = 64,
    encoders: dict | None = None,
    dropout: float = 0.0,
    modality_dropout: float = 0.0,
    modality_corruption: float = 0.0,
    replacement: str = "zero",
    modality_mask: bool = False,
    heads: str | None = None,
    include_top: bool = True,
    classifier_activation: str | None = "softmax",
    weights: str | None = None,
    name: str = "mutual_former_classifier",
) -> keras.Model:
    """A classifier whose modalities are tokens that attend to each other's affinities.

    Stem, positions, `depth` fusion blocks, readout, head. Inputs, mask and output are
    those of `FusionClassifier`; a map becomes patches, a sequence keeps its tokens, a
    vector is one token. The paper's blocks need as many tokens in every modality.

    Args:
        input_shapes: Shape without batch axis of each modality, by name.
        classes: Number of classes, any integer type.
        fusion: As for `FusionClassifier`: any operator on tokens, or any aligned one,
            which then works token by token.
        stem: What turns a map into tokens: `"patch"`, a linear map of each patch, or
            `"convolution"`, 3x3 convolutions that each halve the sides.
        patch_size: Pixels to a side of one token, a number or a dict by modality; a
            power of two for convolutions. Sides that it does not divide are padded.
        readout: `"pool"`, the mean over the fused tokens, or `"token"`, a learned
            token that goes with each modality through the blocks.
        encoder_depth: Residual blocks of each modality behind its stem.
        depth: Number of fusion blocks, at least 1.
        units: Width.
        encoders: A `keras.Model` by modality, in place of stem and residual blocks.
        dropout, modality_dropout, modality_corruption: As for `FusionClassifier`.
        replacement, modality_mask, heads, include_top: As for it, too.
        classifier_activation, weights, name: Likewise.

    Returns:
        An uncompiled functional model.

    Raises:
        ValueError: If an argument does not fit, or the token counts differ where the
            operator needs them equal; the message says what came.

    Example:

    >>> shapes = {"image": (28, 28, 1), "audio": (32, 32, 1)}
    >>> sizes = {"image": 7, "audio": 8}
    >>> model = MutualFormerClassifier(shapes, classes=10, patch_size=sizes)
    >>> model.output_shape
    (None, 10)

    Reference: Wang et al., 2024, MutualFormer: Multi-Modality Representation Learning
    via Cross-Diffusion Attention (the blocks; stem, positions and head are ours).
    """
    if readout not in READOUTS:
        raise ValueError(
            f"readout must be one of {list(READOUTS)}; received {readout!r}."
        )
    inputs, seen, mask, encoders = entrance(
        input_shapes,
        encoders,
        modality_mask=modality_mask,
        modality_dropout=modality_dropout,
        modality_corruption=modality_corruption,
    )
    operator = template(fusion, units)
    tokens = tokenise(
        seen,
        encoders,
        stem=stem,
        patch_size=patch_size,
        depth=encoder_depth,
        units=units,
        dropout=dropout,
        class_token=readout == "token",
        mask=mask,
    )
    require_aligned(operator, tokens)
    seen, heeded = replaced(tokens, mask, replacement)
    fused = fuse(
        operator,
        list(seen.values()),
        depth,
        modality_mask=heeded,
        keep_positions=readout == "token",
    )
    if readout == "token":
        fused = fused[:, 0]
    outputs = predictions(
        fused,
        tokens,
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
