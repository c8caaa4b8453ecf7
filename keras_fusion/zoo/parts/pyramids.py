"""Feature maps of one modality at several scales, finest first."""

import keras
from keras import layers

from keras_fusion.zoo.parts.decoder import patches
from keras_fusion.zoo.parts.encoders import residual_block
from keras_fusion.zoo.parts.given import given

OWN_STRIDES = (4, 8, 16)
GIVEN_STRIDE = 32  # the coarsest of every backbone in keras.applications


def own_pyramid(name, x, *, depth, units, dropout):
    """A small encoder to train from scratch, of maps at strides 4, 8 and 16.

    Every sample for itself, no batch statistics. The finest map has half the width.

    Args:
        name: Of the modality.
        x: `(B, H, W, C)`, sides divisible by 16.
        depth: Residual blocks at each scale.
        units: Width.
        dropout: Rate in the blocks.
    """
    maps = []
    for stride, width in zip(OWN_STRIDES, (max(1, units // 2), units, units)):
        step = 2 if maps else OWN_STRIDES[0]
        if maps:
            x = layers.LayerNormalization(epsilon=1e-5, name=f"{name}_{stride}_norm")(x)
        x = layers.Dense(width, name=f"{name}_{stride}_down")(patches(x, step, step))
        for i in range(depth):
            x = residual_block(f"{name}_{stride}_block_{i}", x, width, dropout)
        maps.append(x)
    return maps


def given_pyramid(name, model, x, mask, column):
    """The outputs of a given model, or of one output the last map of each size.

    Args:
        name: Of the modality.
        model: `keras.Model` of images, as those of `keras.applications` without top.
        x: `(B, H, W, C)`, sides divisible by 32.
        mask: `(B, M)` of what is present, or None.
        column: That of the modality in it.
    """
    taps = model.outputs
    if len(taps) == 1:
        taps = [t for layer in model.layers for t in _maps_of(layer)]
    shapes = keras.Model(model.inputs, taps).compute_output_shape(tuple(x.shape))
    by_size = {tuple(shape[1:3]): tap for shape, tap in zip(shapes, taps)}
    chosen = [
        by_size[size]
        for size in ((x.shape[1] // k, x.shape[2] // k) for k in (2, 4, 8, 16, 32))
        if size in by_size
    ]
    if not chosen:
        raise ValueError(
            f"The encoder {model.name} of {name!r} has no map at stride 2, 4, 8, 16 or "
            f"32; for {tuple(x.shape[1:])} it has {list(by_size)}."
        )
    maps = keras.Model(model.inputs, chosen, name=f"{name}_encoder")
    return list(given(name, maps, x, mask=mask, column=column))


def _maps_of(layer):
    """The layer's output if it is one map."""
    output = layer.output
    return [output] if len(getattr(output, "shape", ())) == 4 else []


def common_scales(pyramids):
    """The maps whose sizes all modalities have, one list of M a scale, finest first.

    Args:
        pyramids: Lists of maps by modality.

    Raises:
        ValueError: If there is no such size.
    """
    by_size = {m: {tuple(x.shape[1:3]): x for x in p} for m, p in pyramids.items()}
    first, *others = by_size.values()
    common = [size for size in first if all(size in other for other in others)]
    if not common:
        sizes = {m: list(found) for m, found in by_size.items()}
        raise ValueError(f"The encoders' maps have no size in common: {sizes}.")
    return [[maps[size] for maps in by_size.values()] for size in common]
