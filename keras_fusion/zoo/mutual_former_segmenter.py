from numbers import Integral

import keras
from keras import layers

from keras_fusion.common.names import safe_names
from keras_fusion.layers import Concatenation
from keras_fusion.zoo.parts.blocks import fuse, template
from keras_fusion.zoo.parts.decoder import decode, from_patches
from keras_fusion.zoo.parts.described import resolved
from keras_fusion.zoo.parts.encoders import check_encoders
from keras_fusion.zoo.parts.head import check_classes
from keras_fusion.zoo.parts.inputs import (
    corrupted,
    named_inputs,
    replace_absent,
    stand_in,
)
from keras_fusion.zoo.parts.pyramids import (
    GIVEN_STRIDE,
    OWN_STRIDES,
    common_scales,
    given_pyramid,
    own_pyramid,
)
from keras_fusion.zoo.parts.record import builder
from keras_fusion.zoo.weights import load_weights


@builder()
def MutualFormerSegmenter(
    input_shapes: dict,
    classes: int,
    *,
    fusion="MutualFormerBlock",
    fused_scales: int = 2,
    encoder_depth: int = 1,
    depth: int = 1,
    units: int = 64,
    encoders: dict | None = None,
    dropout: float = 0.0,
    modality_dropout: float = 0.0,
    modality_corruption: float = 0.0,
    modality_mask: bool = False,
    include_top: bool = True,
    classifier_activation: str | None = None,
    weights: str | None = None,
    name: str = "mutual_former_segmenter",
) -> keras.Model:
    """A class for every pixel of aligned images, such as color and depth.

    A hierarchical encoder for each modality, fusion at the coarse scales, and a light
    decoder with skip connections from the finer ones and from the pixels themselves.
    The paper's own decoder is not public; this network around its blocks is ours.

    Inputs: a dict of maps `(B, H, W, C_m)` of one size, and with `modality_mask=True`
    also `"modality_mask"`, as for `FusionClassifier`. Sides that the coarsest stride
    (16, or 32 with given encoders) does not divide are padded with zeros to the right
    and below, and the output is cropped back.
    Output: `(B, H, W, classes)` float32, logits unless there is an activation.

    Args:
        input_shapes: `(H, W, C)` of each modality, by name, H and W known.
        classes: Number of classes; 1 for the logit of foreground (saliency).
        fusion: As for `FusionClassifier`. Operators on tokens get each scale's map as
            tokens; where one would pool them its streams are joined by a
            `Concatenation`. Aligned ones work on the maps.
        fused_scales: How many scales, from the coarsest, it fuses. A `Concatenation`
            does at the finer ones.
        encoder_depth: Residual blocks at each scale of the default encoders.
        depth: Fusion blocks at each fused scale.
        units: Width of the coarse maps and the fusion; the decoder has half.
        encoders: A `keras.Model` by modality in place of the default encoder: its
            outputs if it has several, else the last map of each size in it. The default
            ones have no batch statistics; keep given ones free of them where a modality
            may be absent.
        dropout: Rate in the default encoders and before the last layer.
        modality_dropout, modality_corruption, modality_mask: As for `FusionClassifier`.
        include_top: Whether there is a last layer; else the output is the decoder's
            features at the finest scale (stride 4 by default), `(B, h, w, units)`,
            padding included.
        classifier_activation: None, `"sigmoid"` for one class, `"softmax"` for more.
        weights, name: As for `FusionClassifier`.

    Returns:
        An uncompiled functional model.

    Raises:
        ValueError: If an argument does not fit; the message says what came.

    Example:

    >>> shapes = {"rgb": (50, 60, 3), "depth": (50, 60, 1)}
    >>> model = MutualFormerSegmenter(shapes, classes=1, units=16)
    >>> model.output_shape
    (None, 50, 60, 1)

    Reference: Wang et al., 2024, MutualFormer: Multi-Modality Representation Learning
    via Cross-Diffusion Attention.
    """
    encoders = resolved(encoders, input_shapes)
    inputs = named_inputs(input_shapes, modality_mask, encoders)
    size = _one_size({m: tuple(inputs[m].shape[1:]) for m in input_shapes})
    operator = template(fusion, units)
    sensed = corrupted(inputs, modality_corruption)
    streams, mask = replace_absent(sensed, modality_dropout)
    stride = GIVEN_STRIDE if encoders else OWN_STRIDES[-1]
    padding = tuple((0, -side % stride) for side in size)
    pad = _pad(padding)
    seen = stand_in(streams, sensed, mask, encoders)
    seen = {m: pad(x) for m, x in seen.items()}
    streams = {m: pad(x) if m in encoders else seen[m] for m, x in streams.items()}
    settings = {"depth": encoder_depth, "units": units, "dropout": dropout}
    scales = common_scales(_pyramids(seen, encoders, settings, mask))
    _check_fused_scales(fused_scales, len(scales))
    maps = [
        _fuse_scale(operator, maps, depth, mask, i, fused=i < fused_scales)
        for i, maps in enumerate(reversed(scales))
    ]
    x, cell = decode(maps[::-1], streams, max(1, units // 2))
    if include_top:
        x = _classify(x, classes, cell, padding, dropout, classifier_activation)
    model = keras.Model(inputs, x, name=name)
    load_weights(model, weights)
    return model


def _check_fused_scales(fused, count):
    if not isinstance(fused, Integral) or not 1 <= fused <= count:
        raise ValueError(
            f"fused_scales must be from 1 to {count}, the scales that all encoders "
            f"have; received {fused!r}."
        )


def _one_size(shapes):
    """The `(H, W)` of all modalities."""
    sizes = {shape[:2] for shape in shapes.values() if len(shape) == 3}
    fits = len(sizes) == 1 and all(len(shape) == 3 for shape in shapes.values())
    if not fits or None in (size := sizes.pop()):
        listed = ", ".join(f"{name} is {shape}" for name, shape in shapes.items())
        raise ValueError(
            "Dense prediction needs aligned maps (H, W, C) of one known size in every "
            f"modality; {listed}."
        )
    return size


def _pad(padding):
    if not any(after for _, after in padding):
        return lambda x: x
    return layers.ZeroPadding2D(padding, "channels_last", name="padding")


def _pyramids(streams, encoders, settings, mask):
    check_encoders(streams, encoders, settings["depth"])
    safe = safe_names(streams)
    return {
        m: given_pyramid(safe[m], encoders[m], x, mask, column)
        if m in encoders
        else own_pyramid(safe[m], x, **settings)
        for column, (m, x) in enumerate(streams.items())
    }


def _classify(x, classes, cell, padding, dropout, activation):
    """The classes of all pixels of every cell at once, without the padding."""
    check_classes(classes, activation)
    x = layers.Dropout(dropout, name="head_dropout")(x)
    width = int(classes) * cell[0] * cell[1]
    x = layers.Dense(width, dtype="float32", name="predictions")(x)
    x = from_patches(x, *cell)
    if any(after for _, after in padding):
        x = layers.Cropping2D(padding, "channels_last", name="cropping")(x)
    return layers.Activation(activation or "linear", dtype="float32", name="pixels")(x)


def _fuse_scale(operator, maps, depth, mask, index, fused):
    """One map from those of all modalities; `index` counts from the coarsest."""
    name = "fusion" if index == 0 else f"fusion_up_{index}"
    if not fused:
        join = Concatenation(maps[0].shape[-1], name=name)
        return join(maps, modality_mask=mask)
    if operator.takes == "aligned":
        return fuse(operator, maps, depth, modality_mask=mask, name=name)
    tokens = [layers.Reshape((-1, x.shape[-1]))(x) for x in maps]
    tokens = fuse(
        operator, tokens, depth, modality_mask=mask, keep_positions=True, name=name
    )
    shape = (*maps[0].shape[1:3], tokens.shape[-1])
    return layers.Reshape(shape, name=f"{name}_map")(tokens)
