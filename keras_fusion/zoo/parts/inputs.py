"""Named inputs, and what stands in for an absent one."""

import keras
from keras import ops

from keras_fusion.common.names import EDGES, MASK, safe_names
from keras_fusion.layers import ModalityCorruption, ModalityDropout
from keras_fusion.layers.modality_input import ModalityInput
from keras_fusion.layers.stand_in import StandIn
from keras_fusion.ops.presence import select
from keras_fusion.zoo.parts.asked_dtype import asked_dtype


def named_inputs(
    input_shapes: dict, modality_mask: bool, encoders: dict | None = None
) -> dict:
    """One `Input` per modality, and the required `modality_mask` (M,) bool if asked.

    Args:
        input_shapes: Shape without batch axis (or width) of each modality, by name.
        modality_mask: Whether the model takes a mask of what is present.
        encoders: What was given in place of default encoders, by name: an input has the
            dtype that its encoder asks for, else Keras' default float.
    """
    if not isinstance(input_shapes, dict) or not input_shapes:
        raise ValueError(
            "input_shapes must map at least one modality's name to its shape without "
            f'the batch axis, as {{"rgb": (32, 32, 3)}}; received {input_shapes!r}.'
        )
    for name in (MASK, *sorted(EDGES)):
        if name in input_shapes:
            raise ValueError(
                f"A modality cannot be called {name!r}: that name is taken."
            )
    encoders = encoders or {}
    inputs = {}
    for name, safe in safe_names(input_shapes).items():
        shape = (None, *_shape(name, input_shapes[name], name in encoders))
        dtype = asked_dtype(encoders.get(name))
        inputs[name] = ModalityInput(name, shape, dtype, f"{safe}_input").output
    if modality_mask:
        inputs[MASK] = keras.Input((len(input_shapes),), dtype="bool", name=MASK)
    return inputs


def same_inputs(model: keras.Model, wide=frozenset()) -> dict:
    """New inputs of the names, shapes and dtypes of the model's own.

    Args:
        model: One with named inputs.
        wide: Names of those that are float64 all the same.
    """
    shapes = {name: x for name, x in model.input.items() if name != MASK}
    inputs = {
        name: ModalityInput(
            name, x.shape, "float64" if name in wide else x.dtype, f"{safe}_input"
        ).output
        for (name, x), safe in zip(shapes.items(), safe_names(shapes).values())
    }
    if MASK in model.input:
        inputs[MASK] = keras.Input(model.input[MASK].shape[1:], dtype="bool", name=MASK)
    return inputs


def corrupted(inputs: dict, rate: float) -> dict:
    """The inputs, of which training corrupts some by `ModalityCorruption`.

    Args:
        inputs: By name, the mask among them.
        rate: Of each present modality of each sample; with 0 there is no layer.
    """
    if not rate:
        return inputs
    names = [name for name in inputs if name != MASK]
    layer = ModalityCorruption(rate, name="modality_corruption")
    call = {MASK: inputs[MASK]} if MASK in inputs else {}
    return inputs | dict(zip(names, layer([inputs[n] for n in names], **call)))


def replace_absent(inputs: dict, rate: float):
    """The modalities with zeros where absent or dropped, and the mask of the rest.

    The mask is None where nothing can be absent.
    """
    names = [name for name in inputs if name != MASK]
    if MASK not in inputs and not rate:
        return {name: inputs[name] for name in names}, None
    dropout = ModalityDropout(rate, name="modality_dropout")
    streams, mask = dropout([inputs[n] for n in names], modality_mask=inputs.get(MASK))
    return dict(zip(names, streams)), mask


def stand_in(streams: dict, inputs: dict, mask, encoders) -> dict:
    """The modalities as given encoders may see them: rows in place of absent ones.

    A default encoder of the library gives finite numbers and gradients for zeros. What
    another one does with zeros nobody knows.

    Args:
        streams: The modalities with zeros where absent, by name.
        inputs: The model's inputs by name.
        mask: `(B, M)` of what is present, or None.
        encoders: Names of the modalities whose encoders are given.
    """
    if mask is None or not encoders:
        return streams
    safe = safe_names(streams)
    return {
        name: StandIn(m, name=f"{safe[name]}_stand_in")(inputs[name], mask)
        if name in encoders
        else x
        for m, (name, x) in enumerate(streams.items())
    }


def as_query(name, encoded: dict, mask, encoders):
    """The encoding that is the query; zeros where its row is a stand-in."""
    if name is None:
        return None
    if name not in encoded:
        raise ValueError(
            f"query must name one of the inputs {list(encoded)}; received {name!r}."
        )
    x = encoded[name]
    if mask is None or name not in encoders:
        return x
    there = mask[:, list(encoded).index(name)]
    return select(x, ops.reshape(there, (-1, *[1] * (len(x.shape) - 1))))


def check_inputs(model: keras.Model, inputs: dict) -> None:
    """Raises a ValueError unless `inputs` has just the inputs of `model`, by name.

    Keras ignores what it does not know, so a misspelt name would pass unseen.
    """
    named = isinstance(model.input, dict)
    expected = list(model.input) if named else [x.name for x in model.inputs]
    missing = [name for name in expected if name not in inputs]
    unknown = [name for name in inputs if name not in expected]
    if missing or unknown:
        raise ValueError(
            f"{model.name} takes the inputs {expected}; missing {missing}, unknown "
            f"{unknown}."
        )


def _shape(name, shape, is_given):
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    ids = shape == (None,) and is_given  # of any number, for an encoder of texts
    if not 1 <= len(shape) <= 4 or shape[-1] is None and not ids:
        raise ValueError(
            f"Modality {name!r} must be a vector (D,), a sequence (T, D), a map "
            f"(H, W, C) or a volume (T, H, W, C) with a known width; received {shape}."
        )
    return shape
