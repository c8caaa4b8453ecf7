"""An encoder for each modality: chosen by the rank of the input, or given."""

from numbers import Integral

from keras import layers, ops

from keras_fusion.common.names import safe_names
from keras_fusion.layers.padded_conv1d import PaddedConv1D
from keras_fusion.layers.present_mean import PresentMean
from keras_fusion.layers.token_presence import TokenPresence
from keras_fusion.zoo.parts import token_inputs
from keras_fusion.zoo.parts.given import given, one_output, told_apart

CONVOLUTIONS = {2: PaddedConv1D, 3: layers.Conv2D, 4: layers.Conv3D}
PATCHES = {3: (4, 4), 4: (2, 4, 4)}


def encode(streams, encoders, takes, *, mask=None, depth, units, dropout):
    """Every modality through its encoder, handed over as the operator takes it.

    Args:
        streams: Input tensors by name.
        encoders: Models, or lists of layers as `given` takes them, by name, for those
            that do not get the default encoder.
        takes: `"aligned"` (vectors `(B, units)`, pooled) or `"tokens"` `(B, T, units)`.
        mask: `(B, M)` of what is present, or None.
        depth: Layers of a default encoder; 0 is the projection alone.
        units: Width handed over.
        dropout: Rate inside the default encoders.

    Returns:
        The encoded modalities by name, and the mask. A modality whose tokens an
        encoder masks all is absent, too; operators on tokens see that for themselves.
    """
    encoders = encoders or {}
    check_encoders(streams, encoders, depth)
    apart, safe = told_apart(encoders), safe_names(streams)
    encoded, there = {}, {}
    for m, (name, x) in enumerate(streams.items()):
        prefix = safe[name]
        if name in encoders:
            outputs = given(prefix, apart[name], x, mask=mask, column=m)
            outputs = one_output(name, outputs, takes)
            x = token_inputs.with_padding(prefix, encoders[name], x, outputs)
        else:
            x = _default_encoder(prefix, x, depth, units, dropout)
        if takes == "aligned" and len(x.shape) == 3:
            x, there[name] = PresentMean(name=f"{prefix}_pooling")(x)
        encoded[name] = hand_over(prefix, x, takes, units)
    return encoded, narrowed(mask, there, streams)


def narrowed(mask, there, streams):
    """The mask without the modalities that have no token, `(B, M)` or None.

    Args:
        mask: `(B, M)` of what is present, or None.
        there: Whether a modality has a token, `(B,)` by name, where that is known.
        streams: All modalities by name.
    """
    if not there:
        return mask
    columns = [list(streams).index(name) for name in there]
    narrow = TokenPresence(columns, len(streams), name="token_presence")
    return narrow(list(there.values()), modality_mask=mask)


def check_encoders(streams, encoders, depth) -> None:
    """Raises a ValueError where an encoder has no input, or its depth is none."""
    if not isinstance(depth, Integral) or depth < 0:
        raise ValueError(f"encoder_depth must be 0 or more; received {depth!r}.")
    check_names("encoders", encoders, streams)


def check_names(what, given, streams) -> None:
    """Raises a ValueError where something is given for an input that is not there."""
    unknown = [name for name in given if name not in streams]
    if unknown:
        raise ValueError(
            f"There are {what} for {unknown}, but the inputs are {list(streams)}."
        )


def _default_encoder(name, x, depth, units, dropout):
    """Projection (of patches on maps and volumes), then pre-norm residual blocks.

    A token of zeros is padding, on which nothing depends. Every sample goes for itself:
    no batch statistics, since what is absent in one sample must not move another.
    """
    rank = len(x.shape) - 1
    if rank in PATCHES:
        patch = PATCHES[rank]
        project = CONVOLUTIONS[rank](
            units,
            patch,
            strides=patch,
            padding="same",
            data_format="channels_last",
            name=f"{name}_projection",
        )
    else:
        project = layers.Dense(units, name=f"{name}_projection")
    if rank == 2:
        x = layers.Masking(name=f"{name}_masking")(x)
    x = project(x)
    for i in range(depth):
        x = residual_block(f"{name}_block_{i}", x, units, dropout)
    return x


def residual_block(name, x, units, dropout):
    """`x + Dense(Dropout(gelu(mix(LN(x)))))`, `mix` a 3x3 convolution where x has one.

    Args:
        name: Prefix of the layers' names.
        x: `(B, ..., units)`.
        units: Width.
        dropout: Rate.
    """
    rank = len(x.shape) - 1
    h = layers.LayerNormalization(epsilon=1e-5, name=f"{name}_norm")(x)
    if rank in CONVOLUTIONS:
        mix = CONVOLUTIONS[rank](
            units,
            3,
            padding="same",
            activation="gelu",
            data_format="channels_last",
            name=f"{name}_hidden",
        )
    else:
        mix = layers.Dense(units, activation="gelu", name=f"{name}_hidden")
    h = layers.Dropout(dropout, name=f"{name}_dropout")(mix(h))
    h = layers.Dense(units, name=f"{name}_output")(h)
    return layers.Add(name=f"{name}_add")([x, h])


def hand_over(name, x, takes, units):
    """An encoder's output as the operator takes it, `units` wide; see `encode`."""
    if takes == "aligned":
        x = pool_positions(x)
    elif len(x.shape) == 2:
        x = ops.expand_dims(x, axis=1)
    elif len(x.shape) > 3:
        x = layers.Reshape((-1, x.shape[-1]), name=f"{name}_tokens")(x)
    if x.shape[-1] == units:
        return x
    return layers.Dense(units, name=f"{name}_width")(x)


def pool_positions(x):
    """Mean over all axes between batch and features."""
    if len(x.shape) == 2:
        return x
    if len(x.shape) == 3:
        return PresentMean()(x)[0]
    pools = {4: "2D", 5: "3D"}
    pool = getattr(layers, f"GlobalAveragePooling{pools[len(x.shape)]}")
    return pool(data_format="channels_last")(x)
