"""Backbones of KerasHub, with what has to be done to their input."""

from pathlib import Path

import keras
from keras import layers, ops

from keras_fusion.common import kerashub
from keras_fusion.common.errors import InputError, first_line
from keras_fusion.safety import allowed, archives
from keras_fusion.zoo.parts import token_inputs


def network(preset: str, input_shape: tuple, random: bool) -> keras.Model:
    """A backbone of KerasHub; of pictures with colors from 0 to 255.

    Args:
        preset: What `keras_hub.models.Backbone.from_preset` takes.
        input_shape: `(H, W, 3)`, `(H, W, 1)`, whose channel is repeated, or `(T,)`
            token ids of the preset's own tokenizer, and its own padding behind them.
        random: Whether the weights are random, else those of the preset.

    Raises:
        ImportError: If KerasHub is not installed.
        ValueError: If there is no such preset, or it does not take the shape.
        Unsafe: If it is a folder that may do more than compute.
    """
    hub = kerashub.package()
    try:
        archives.check_preset(Path(preset))
        body = hub.models.Backbone.from_preset(preset, load_weights=not random)
    except allowed.Unsafe:
        raise
    except Exception as error:  # of names, of the network, of files
        raise InputError(
            f"KerasHub has no backbone {preset!r}: {first_line(error)}"
        ) from error
    if token_inputs.several(body):
        return _of_tokens(hub, preset, body, input_shape)
    pictures = len(input_shape) == 3 and input_shape[-1] in (1, 3)
    own = body.input.shape[1:]
    if not pictures or any(n not in (None, m) for n, m in zip(own, input_shape[:2])):
        raise InputError(
            f"{preset} takes pictures {tuple(own)}; the modality has rows of the shape "
            f"{tuple(input_shape)}."
        )
    pixels = keras.Input(tuple(input_shape), name="pixels")
    colors = ops.repeat(pixels, 3, axis=-1) if input_shape[-1] == 1 else pixels
    # Without KerasHub's own class, files of many networks load where it is not.
    plain = keras.Model(body.input, body.output)
    return keras.Model(pixels, plain(_scaled(hub, preset, colors)))


def _of_tokens(hub, preset, body, input_shape):
    """The backbone of texts, which knows what its tokenizer pads with."""
    most = getattr(body, "max_sequence_length", None)
    if len(input_shape) == 1 and most and (input_shape[0] or 0) > most:
        raise InputError(
            f"{preset} takes at most {most} tokens; the modality has rows of "
            f"{input_shape[0]}: say length = {most} for its column."
        )
    try:
        tokenizer = hub.models.Tokenizer.from_preset(preset)
    except (OSError, ValueError):  # the preset has none
        return body
    token_inputs.pad_with(body, getattr(tokenizer, "pad_token_id", None) or 0)
    return body


def _scaled(hub, preset, colors):
    try:
        converter = hub.layers.ImageConverter.from_preset(preset)
    except ValueError:  # the preset has none
        return colors
    scale = 1.0 if converter.scale is None else converter.scale
    offset = 0.0 if converter.offset is None else converter.offset
    return layers.Rescaling(scale, offset, name="preparation")(colors)
