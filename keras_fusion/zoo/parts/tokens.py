"""Modalities as tokens: image patches or small convolutions, then their places."""

from functools import partial
from numbers import Integral

from keras import layers

from keras_fusion.common.names import safe_names
from keras_fusion.layers import ClassToken, PositionEmbedding
from keras_fusion.zoo.parts.encoders import encode, residual_block

STEMS = ("patch", "convolution")


def tokenise(
    streams,
    encoders,
    *,
    stem,
    patch_size,
    depth,
    units,
    dropout,
    class_token,
    mask=None,
):
    """Every modality as tokens `(B, T_m, units)` that know their places.

    Args:
        streams: Input tensors by name.
        encoders: Models by name, in place of stem and default encoder.
        stem: `"patch"` or `"convolution"`, for maps.
        patch_size: Pixels to a side of what becomes one token, a number or by name.
        depth: Residual blocks behind each stem.
        units: Width.
        dropout: Rate in those blocks.
        class_token: Whether a learned token stands before the others.
        mask: `(B, M)` of what is present, or None.
    """
    if stem not in STEMS:
        raise ValueError(f"stem must be one of {list(STEMS)}; received {stem!r}.")
    encoders = dict(encoders or {})
    maps = [m for m, x in streams.items() if len(x.shape) == 4 and m not in encoders]
    sizes = _patch_sizes(patch_size, maps)
    safe = safe_names(streams)
    for name in maps:
        settings = stem, sizes[name], depth, units, dropout
        encoders[name] = partial(_encode_map, safe[name], *settings)
    encoded, _ = encode(
        streams,
        encoders,
        "tokens",
        mask=mask,
        depth=depth,
        units=units,
        dropout=dropout,
    )
    grids = {m: _grid(streams[m].shape[1:3], sizes[m]) for m in maps}
    return {
        name: _placed(safe[name], x, class_token, grids.get(name))
        for name, x in encoded.items()
    }


def require_aligned(operator, tokens) -> None:
    """Raises a ValueError that names the token counts if these do not fit."""
    try:
        operator.check([tuple(x.shape) for x in tokens.values()])
    except ValueError as error:
        counts = {name: x.shape[1] for name, x in tokens.items()}
        if len(set(counts.values())) == 1:
            raise
        listed = ", ".join(f"{name} has {count}" for name, count in counts.items())
        raise ValueError(
            f"{type(operator).__name__} needs as many tokens in every modality; "
            f"{listed}. Choose patch_size by modality so that they agree, or an "
            "operator whose modalities need not be aligned."
        ) from error


def _patch_sizes(patch_size, maps):
    sizes = (
        patch_size if isinstance(patch_size, dict) else dict.fromkeys(maps, patch_size)
    )
    if set(sizes) != set(maps):
        raise ValueError(
            f"patch_size must be one number, or one for each of the maps {maps}; "
            f"received {patch_size!r}."
        )
    for size in sizes.values():
        if not isinstance(size, Integral) or isinstance(size, bool) or size < 1:
            raise ValueError(
                f"patch_size must be a positive integer; received {patch_size!r}."
            )
    return {name: int(size) for name, size in sizes.items()}


def _encode_map(name, stem, size, depth, units, dropout, x):
    if stem == "patch":
        project = layers.Conv2D(
            units,
            size,
            strides=size,
            padding="same",
            data_format="channels_last",
            name=f"{name}_projection",
        )
        x = project(x)
    else:
        x = _convolutions(name, x, size, units)
    for i in range(depth):
        x = residual_block(f"{name}_block_{i}", x, units, dropout)
    return x


def _convolutions(name, x, size, units):
    """3x3 convolutions, each halving the sides and the last of full width."""
    steps = size.bit_length() - 1
    if size != 2**steps or not steps:
        raise ValueError(
            f"A convolutional stem halves the sides, so patch_size must be a power of "
            f"two; received {size} for {name!r}."
        )
    for i in range(steps):
        convolve = layers.Conv2D(
            max(1, units >> (steps - 1 - i)),
            3,
            strides=2,
            padding="same",
            data_format="channels_last",
            activation="gelu",
            name=f"{name}_stem_{i}",
        )
        x = convolve(x)
    return layers.Dense(units, name=f"{name}_projection")(x)


def _grid(sides, size):
    """Rows and columns of the tokens of a map; None where its sides are unknown."""
    return None if None in sides else tuple(-(-side // size) for side in sides)


def _placed(name, x, class_token, grid):
    if class_token:
        x = ClassToken(name=f"{name}_class_token")(x)
    return PositionEmbedding(grid=grid, name=f"{name}_positions")(x)
