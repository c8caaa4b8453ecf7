"""Networks of `keras.applications`, with what has to be done to their input."""

import inspect
import types

import keras
import numpy as np
from keras import layers, ops

from keras_fusion.common.catalogue import find
from keras_fusion.common.errors import InputError, first_line


def network(name: str, input_shape: tuple, random: bool) -> keras.Model:
    """From pictures of any size, colors from 0 to 255, to the last map of a network.

    Args:
        name: A function of `keras.applications`, such as `"EfficientNetV2B0"`.
        input_shape: `(H, W, 3)`, or `(H, W, 1)`, whose channel is repeated.
        random: Whether the weights are random, else those of ImageNet, which Keras
            fetches once and keeps.

    Raises:
        ValueError: If there is no such function, it does not take such pictures, or the
            weights cannot be fetched.
    """
    if len(input_shape) != 3 or input_shape[-1] not in (1, 3):
        raise InputError(
            f"{name} takes pictures (H, W, 3) or (H, W, 1); the modality has rows of "
            f"the shape {tuple(input_shape)}."
        )
    if keras.config.image_data_format() != "channels_last":
        raise InputError(
            f"{name} is built for channels last: call "
            'keras.config.set_image_data_format("channels_last").'
        )
    make, prepare = find("network of keras.applications", name, _known())
    channels = input_shape[-1]
    pixels = keras.Input((None, None, channels), name="pixels")  # of any size
    colors = pixels if channels == 3 else ops.repeat(pixels, 3, axis=-1)
    try:
        body = make(
            include_top=False,
            weights=None if random else "imagenet",
            input_tensor=prepared(colors, prepare),
        )
    except Exception as error:  # of the network, of the file, of the connection
        raise InputError(f"{name} cannot be built: {first_line(error)}") from error
    return keras.Model(pixels, body.output)  # which takes a tensor, not a list of one


def prepared(colors, prepare):
    """What Keras' function does to an array, done by layers that can be saved.

    Such a function multiplies each channel, adds to it, and may turn their order. So a
    black picture and one of each color say all of it.

    Args:
        colors: `(B, H, W, 3)` tensor.
        prepare: A `preprocess_input` of `keras.applications`.
    """
    probes = np.concatenate([np.zeros((1, 3)), 255 * np.eye(3)]).astype("float32")
    black, *bright = np.asarray(prepare(probes.reshape(4, 1, 1, 3).copy()))[:, 0, 0]
    matrix = (np.array(bright) - black) / 255
    if not matrix.diagonal().all():
        colors, matrix = ops.flip(colors, axis=-1), matrix[::-1]
    scale = matrix.diagonal()
    if np.all(scale == 1) and not black.any():
        return colors
    prepare = layers.Rescaling(scale.tolist(), black.tolist(), name="preparation")
    return prepare(colors)


def _known():
    """Function that builds and function that prepares, by name."""
    public = vars(keras.applications)
    prepare = {
        module.preprocess_input.__module__: module.preprocess_input
        for module in public.values()
        if isinstance(module, types.ModuleType) and hasattr(module, "preprocess_input")
    }
    return {
        name: (make, prepare[make.__module__])
        for name, make in public.items()
        if inspect.isfunction(make) and make.__module__ in prepare
    }
