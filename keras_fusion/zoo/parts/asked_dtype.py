"""The dtype that an encoder asks for."""

import keras
from keras import layers

from keras_fusion.zoo.parts import token_inputs

# Layers that look things up, and what they look up.
LOOKUPS = {
    layers.StringLookup: "string",
    layers.TextVectorization: "string",
    layers.IntegerLookup: "int64",
    layers.Hashing: "int64",
    layers.CategoryEncoding: "int32",
    layers.Embedding: "int32",
}


def asked_dtype(encoder) -> str | None:
    """The dtype of the input of this encoder; None where it takes Keras' float.

    Whole numbers that come as floats are rounded as soon as a layer works in half
    precision. So an encoder that looks things up first is given whole numbers, whatever
    its own input says.

    Args:
        encoder: A `keras.Model`, a layer, a list of layers as `encoders.given` takes
            it, anything that can be called, or None.
    """
    if isinstance(encoder, (list, tuple)):
        return asked_dtype(encoder[0]) if encoder else None
    if isinstance(encoder, dict):  # a description
        kind = getattr(layers, str(encoder.get("class_name")), None)
        declared = kind is layers.InputLayer
        return encoder.get("config", {}).get("dtype") if declared else _looks_up(kind)
    if isinstance(encoder, keras.Sequential) and not encoder.built:
        return asked_dtype(encoder.layers[0]) if encoder.layers else None
    inputs = token_inputs.several(encoder)
    if token_inputs.IDS in inputs:
        return _of_input(encoder, inputs[token_inputs.IDS])
    if isinstance(encoder, keras.Model) and len(getattr(encoder, "inputs", ())) == 1:
        return _of_input(encoder, encoder.inputs[0])
    return _looks_up(type(encoder))


def _of_input(model, x):
    if "float" not in x.dtype:
        return x.dtype
    takers = [asked_dtype(layer) for layer in model.layers if _takes(layer, x)]
    return takers[0] if len(set(takers)) == 1 and takers[0] else x.dtype


def _takes(layer, x):
    if isinstance(layer, layers.InputLayer):
        return False
    try:
        taken = layer.input
    except (AttributeError, ValueError):  # called several times, or never
        return False
    return any(y is x for y in keras.tree.flatten(taken))


def _looks_up(kind):
    if not isinstance(kind, type):
        return None
    return next((x for known, x in LOOKUPS.items() if issubclass(kind, known)), None)
