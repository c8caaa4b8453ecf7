"""From fused maps at several scales back to the pixels."""

from keras import layers

from keras_fusion.zoo.parts.encoders import residual_block


def patches(x, tall, wide):
    """Non-overlapping patches side by side: `(B, H/t, W/w, t w C)` of `(B, H, W, C)`.

    With a `Dense` behind it a convolution of stride and kernel `(t, w)`, but one matrix
    product: compilers differ wildly in how fast they run the other.
    """
    height, width, channels = x.shape[1:]
    x = layers.Reshape((height // tall, tall, width // wide, wide * channels))(x)
    x = layers.Permute((1, 3, 2, 4))(x)
    return layers.Reshape((height // tall, width // wide, tall * wide * channels))(x)


def from_patches(x, tall, wide):
    """The inverse of `patches`."""
    height, width, channels = x.shape[1], x.shape[2], x.shape[3] // (tall * wide)
    x = layers.Reshape((height, width, tall, wide * channels))(x)
    x = layers.Permute((1, 3, 2, 4))(x)
    return layers.Reshape((height * tall, width * wide, channels))(x)


def decode(maps, streams, units):
    """Features `(B, h, w, U)` of the finest map's cells, and a cell's size in pixels.

    From the coarsest map up, each added to what comes from below; at the finest the
    cell's own pixels stand beside, so that edges can be sharper than cells.

    Args:
        maps: Fused maps, finest first, each side twice the next one's or a multiple.
        streams: The padded inputs `(B, H, W, C_m)`, by name.
        units: Width U of the decoder.
    """
    *finer, x = maps
    x = layers.Dense(units, name="decoder_entry")(x)
    for level, skip in reversed(list(enumerate(finer))):
        ratio = tuple(a // b for a, b in zip(skip.shape[1:3], x.shape[1:3]))
        x = layers.UpSampling2D(ratio, "channels_last", "bilinear")(x)
        skip = layers.Dense(units, name=f"decoder_{level}_skip")(skip)
        x = layers.Add(name=f"decoder_{level}_add")([x, skip])
        x = residual_block(f"decoder_{level}_block", x, units, 0.0)
    x = layers.LayerNormalization(epsilon=1e-5, name="decoder_norm")(x)
    size = next(iter(streams.values())).shape[1:3]
    cell = tuple(a // b for a, b in zip(size, x.shape[1:3]))
    pixels = [patches(image, *cell) for image in streams.values()]
    x = layers.Concatenate(name="decoder_pixels")([x, *pixels])
    return layers.Dense(2 * units, activation="gelu", name="decoder")(x), cell
