"""Encoders that a caller gave: models, layers, or what says them."""

import keras
from keras import layers

from keras_fusion import layers as own_layers
from keras_fusion.common.catalogue import find
from keras_fusion.common.names import safe_names
from keras_fusion.layers.held_statistics import HeldStatistics, has_averages
from keras_fusion.zoo.parts import token_inputs

# Names of the builders' own layers that an encoder might have as well.
TAKEN = (
    *("fusion", "predictions", "pixels"),
    *("modality_corruption", "modality_dropout", "head_dropout"),
)


def given(name, encoder, x, role="encoder", *, mask=None, column=0):
    """The output for x of an encoder that a caller gave.

    Args:
        name: Prefix of layers' names.
        encoder: Something to call on the input, or layers in their order, each
            `{"class_name": ..., "config": {...}}`, of Keras or of `keras_fusion.layers`
            (as a TOML file can write them).
        x: The modality.
        role: What they are to it.
        mask: `(B, M)` of what is present, or None: an absent row is a stand-in.
        column: That of the modality in it.
    """
    if isinstance(encoder, (list, tuple)):
        own = f"{name}_{role}"
        stack = [_described(name, f"{own}_{i}", y) for i, y in enumerate(encoder)]
        encoder = _sequential(stack, own, x)
    elif _unbuilt(encoder):
        encoder = _sequential(encoder.layers, encoder.name, x)
    elif isinstance(encoder, _Inside):
        encoder = encoder.model(x)
    if not isinstance(encoder, HeldStatistics):
        encoder = averages_held(encoder)
    if not isinstance(encoder, HeldStatistics):
        return encoder(token_inputs.taken(name, encoder, x))
    there = None if mask is None else mask[:, column]
    return encoder(token_inputs.taken(name, encoder.layer, x), there=there)


def averages_held(encoder):
    """The encoder, so that no batch moves its averages that has no row for it."""
    if isinstance(encoder, layers.Layer) and has_averages(encoder):
        return HeldStatistics(encoder, name=encoder.name)
    return encoder


def _unbuilt(encoder):
    return isinstance(encoder, keras.Sequential) and not encoder.built


def _sequential(stack, name, x):
    """Without an Input of x's dtype Keras would take half precision for token ids."""
    if not stack or not isinstance(stack[0], layers.InputLayer):
        stack = [keras.Input(batch_shape=x.shape, dtype=x.dtype), *stack]
    return keras.Sequential(stack, name=name)


def told_apart(encoders: dict, role: str = "encoder") -> dict:
    """The encoders by modality, as `given` takes them, no two of the same name.

    Keras refuses two layers of one name in a model. Pretrained models of one kind have
    one, so such a model goes into a model of its own, which is named by the modality.

    Args:
        encoders: What was given, by name of the modality. One may have several.
        role: What they are to it.
    """
    safe = safe_names(encoders)
    owners = {}
    for encoder in encoders.values():
        owners.setdefault(getattr(encoder, "name", None), {})[id(encoder)] = encoder
    ready = {
        id(encoder): averages_held(encoder)
        for encoder in encoders.values()
        if not _unbuilt(encoder)
    }

    def renamed(modality, encoder):
        name = getattr(encoder, "name", None)
        if name is None or len(owners[name]) == 1 and name not in TAKEN:
            return ready.get(id(encoder), encoder)
        return _Inside(encoder, f"{safe[modality]}_{role}")

    return {modality: renamed(modality, x) for modality, x in encoders.items()}


class _Inside:
    """An encoder that goes into a model of another name.

    Args:
        encoder: What was given.
        name: Of the model.
    """

    def __init__(self, encoder, name):
        self.encoder, self.name = encoder, name

    def model(self, x) -> keras.Model:
        """The model for such an input."""
        inputs = keras.tree.map_structure(
            lambda t: keras.Input(batch_shape=t.shape, dtype=t.dtype, name=t.name), x
        )
        outputs = self.encoder(token_inputs.taken(self.name, self.encoder, inputs))
        return keras.Model(inputs, outputs, name=self.name)


def one_output(name, outputs, takes):
    """The tensor that is meant, of an encoder that returns several.

    Backbones of KerasHub return a dict: `sequence_output`, and some `pooled_output`.
    """
    if isinstance(outputs, (list, tuple)) and len(outputs) == 1:
        return outputs[0]
    if isinstance(outputs, dict):
        known = ("sequence_output", "pooled_output")
        known = known if takes == "tokens" else known[::-1]
        found = [key for key in known if key in outputs] or list(outputs)
        if len(outputs) == 1 or found[0] in known:
            return outputs[found[0]]
    if isinstance(outputs, (list, tuple, dict)):
        what = list(outputs) if isinstance(outputs, dict) else len(outputs)
        raise ValueError(
            f"The encoder of {name!r} must return one tensor, or a dict with "
            f"'sequence_output' or 'pooled_output'; it returns {what}. Give "
            "keras.Model(encoder.input, encoder.output[...]) of the one to fuse."
        )
    return outputs


def _described(name, own_name, description):
    keys = {"class_name", "config"}
    if (
        not isinstance(description, dict)
        or not {"class_name"} <= set(description) <= keys
    ):
        raise ValueError(
            f"A layer for {name!r} must be "
            f'{{"class_name": ..., "config": {{...}}}}; received {description!r}.'
        )
    known = {n: layer for n, layer in vars(layers).items() if isinstance(layer, type)}
    known |= {n: getattr(own_layers, n) for n in own_layers.__all__}
    layer = find("layer", description["class_name"], known)
    try:
        return layer(**{"name": own_name} | description.get("config", {}))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{description['class_name']}, for {name!r}, cannot be built: {error}"
        ) from error
