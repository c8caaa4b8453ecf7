from numbers import Integral

import keras
from keras import layers

from keras_fusion.common.names import safe_names
from keras_fusion.layers import (
    Concatenation,
    CrossAttention,
    JointAttention,
    ResidualMLP,
    SinusoidalPositions,
)
from keras_fusion.zoo.fusion_classifier import SHARED
from keras_fusion.zoo.parts.encoders import encode
from keras_fusion.zoo.parts.entrance import entrance
from keras_fusion.zoo.parts.heads import classifier, predictions
from keras_fusion.zoo.parts.record import builder
from keras_fusion.zoo.parts.replacement import replaced
from keras_fusion.zoo.weights import load_weights


@builder(alone="UnimodalClassifier", alone_takes=SHARED)
def MultimodalTransformer(
    input_shapes: dict,
    classes: int,
    *,
    encoder_depth: int = 0,
    depth: int = 2,
    self_depth: int = 1,
    units: int = 64,
    num_heads: int = 4,
    encoders: dict | None = None,
    dropout: float = 0.1,
    modality_dropout: float = 0.0,
    modality_corruption: float = 0.0,
    replacement: str = "zero",
    modality_mask: bool = False,
    heads: str | None = None,
    include_top: bool = True,
    classifier_activation: str | None = "softmax",
    weights: str | None = None,
    name: str = "multimodal_transformer",
) -> keras.Model:
    """A classifier of unaligned sequences: every modality reads each of the others.

    For every modality m and every other n, `depth` blocks of cross-attention in which
    the tokens of m ask those of n; what m learned of all others, side by side, goes
    through `self_depth` blocks of self-attention and is averaged over its tokens; the
    vectors of all modalities, side by side, go through a residual MLP to the head.
    Sequences need neither be aligned nor of one length. A map or volume is its patches.

    Inputs, mask and output are those of `FusionClassifier`: absent modalities and
    padding are no keys and are not averaged, so that they have no influence.

    Args:
        input_shapes: Shape without batch axis of each of two or more modalities, by
            name. Of single vectors, which have nothing to ask, there may be none.
        classes: Number of classes, any integer type.
        encoder_depth: Layers of the default encoders; 0 is only the projection.
        depth: Blocks of cross-attention from a modality to another, at least 1.
        self_depth: Blocks of self-attention behind them, at least 1.
        units: Width of each pair's blocks; self-attention is `(M - 1) units` wide.
        num_heads: Number of heads, a divisor of `units`.
        encoders: As for `FusionClassifier`.
        dropout: Rate in default encoders, in the blocks and before the head.
        modality_dropout, modality_corruption: As for `FusionClassifier`.
        replacement, modality_mask, heads: As for it, too.
        include_top, classifier_activation, weights, name: As for it, too. Without top
            the output is `(B, M (M - 1) units)`.

    Returns:
        An uncompiled functional model.

    Raises:
        ValueError: If an argument does not fit; the message says what came.

    Example:

    >>> shapes = {"text": (20, 32), "audio": (50, 12), "video": (30, 16)}
    >>> model = MultimodalTransformer(shapes, classes=2, units=8, num_heads=2)
    >>> model.output_shape
    (None, 2)

    Reference: Tsai et al., 2019, Multimodal Transformer for Unaligned Multimodal
    Language Sequences. There the last token stands for a sequence; here it is the mean
    over the tokens that are there, whatever the padding.
    """
    if not isinstance(input_shapes, dict) or len(input_shapes) < 2:
        raise ValueError(
            "MultimodalTransformer expects input_shapes of two or more modalities; "
            f"received {input_shapes!r}."
        )
    for argument, value in {"depth": depth, "self_depth": self_depth}.items():
        if not isinstance(value, Integral) or value < 1:
            raise ValueError(f"{argument} must be 1 or more; received {value!r}.")
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
        "tokens",
        mask=mask,
        depth=encoder_depth,
        units=units,
        dropout=dropout,
    )
    safe = safe_names(encoded)
    tokens, heeded = replaced(encoded, mask, replacement)
    placed = {
        safe[m]: SinusoidalPositions(name=f"{safe[m]}_positions")(x)
        for m, x in tokens.items()
    }
    options = {"num_heads": num_heads, "dropout": dropout}
    vectors = [
        _read(
            m,
            [_crossed(m, n, placed, depth, heeded, options) for n in placed if n != m],
            self_depth,
            _part(heeded, placed, [m]),
            options,
        )
        for m in placed
    ]
    call = {} if heeded is None else {"modality_mask": heeded}
    fused = Concatenation(name="joined")(vectors, **call)
    fused = ResidualMLP(dropout=dropout, name="residual_mlp")(fused)
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
    model = classifier(inputs, outputs, heads, name)
    load_weights(model, weights)
    return model


def _crossed(m, n, placed, depth, mask, options):
    """The tokens of m after they asked those of n, again and again."""
    asking, call = placed[m], _part(mask, placed, [m, n])
    for i in range(depth):
        block = CrossAttention(
            queries="first", readout=None, name=f"{m}_from_{n}_{i}", **options
        )
        asking, _ = block([asking, placed[n]], **call)
    return asking


def _read(m, parts, depth, call, options):
    """One vector of the tokens of m that asked each of the others."""
    tokens = layers.Concatenate(name=f"{m}_of_others")(parts)
    for i in range(depth):
        readout = "mean" if i == depth - 1 else None
        block = JointAttention(readout=readout, name=f"{m}_self_{i}", **options)
        tokens = block([tokens], **call)
        tokens = tokens if readout else tokens[0]
    return tokens


def _part(mask, placed, modalities):
    """The columns of these modalities of the mask, as an argument of a call."""
    if mask is None:
        return {}
    columns = [list(placed).index(m) for m in modalities]
    return {"modality_mask": keras.ops.stack([mask[:, c] for c in columns], axis=-1)}
