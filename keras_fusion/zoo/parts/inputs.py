"""Named inputs, and what stands in for an absent one."""

import keras

from keras_fusion.layers import ModalityDropout
from keras_fusion.names import MASK


def named_inputs(input_shapes: dict, modality_mask: bool) -> dict:
    """One `Input` per modality, and the required `modality_mask` (M,) bool if asked.

    Args:
        input_shapes: Shape without batch axis (or width) of each modality, by name.
        modality_mask: Whether the model takes a mask of what is present.
    """
    if not isinstance(input_shapes, dict) or not input_shapes:
        raise ValueError(
            "input_shapes must map at least one modality's name to its shape without "
            f'the batch axis, as {{"rgb": (32, 32, 3)}}; received {input_shapes!r}.'
        )
    if MASK in input_shapes:
        raise ValueError(f"A modality cannot be called {MASK!r}: the mask is.")
    inputs = {
        name: keras.Input(_shape(name, shape), name=name)
        for name, shape in input_shapes.items()
    }
    if modality_mask:
        inputs[MASK] = keras.Input((len(input_shapes),), dtype="bool", name=MASK)
    return inputs


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


def check_inputs(model: keras.Model, inputs: dict) -> None:
    """Raises a ValueError unless `inputs` has just the inputs of `model`, by name.

    Keras ignores what it does not know, so a misspelt name would pass unseen.
    """
    expected = list(model.input) if isinstance(model.input, dict) else model.input_names
    missing = [name for name in expected if name not in inputs]
    unknown = [name for name in inputs if name not in expected]
    if missing or unknown:
        raise ValueError(
            f"{model.name} takes the inputs {expected}; missing {missing}, unknown "
            f"{unknown}."
        )


def _shape(name, shape):
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if not 1 <= len(shape) <= 4 or shape[-1] is None:
        raise ValueError(
            f"Modality {name!r} must be a vector (D,), a sequence (T, D), a map "
            f"(H, W, C) or a volume (T, H, W, C) with a known width; received {shape}."
        )
    return shape
