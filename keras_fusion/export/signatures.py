"""The signatures of a model: their inputs, and the model's answer to them."""

import keyword
import re
from collections.abc import Callable
from typing import NamedTuple

import keras
from keras import ops

from keras_fusion.export.reading import DEFAULT, MASK, MASKED


class Signature(NamedTuple):
    """One way to ask a model.

    Attributes:
        inputs: The model's symbolic inputs by name.
        answer: From tensors of these names to float32 outputs by name. It is both what
            an export traces and what the export's numbers are compared with.
    """

    inputs: dict
    answer: Callable[[dict], dict]


def signatures_of(model: keras.Model) -> dict[str, Signature]:
    """`serving_default`, and `serving_masked` if the model has a `modality_mask`.

    With a mask, the default takes every other input and all modalities are present.

    Raises:
        ValueError: If inputs or outputs have no names that a SavedModel can hold.
    """
    inputs = _named_inputs(model)
    _check_output_names(model)

    def answer(tensors):
        outputs = model(tensors, training=False)
        if not isinstance(outputs, dict):
            outputs = dict(
                zip(model.output_names, keras.tree.flatten(outputs), strict=True)
            )
        return {name: ops.cast(x, "float32") for name, x in outputs.items()}

    if MASK not in inputs:
        return {DEFAULT: Signature(inputs, answer)}
    modalities = {name: x for name, x in inputs.items() if name != MASK}

    def answer_all_present(tensors):
        batch = ops.shape(next(iter(tensors.values())))[0]
        present = ops.ones((batch, inputs[MASK].shape[1]), dtype="bool")
        return answer({**tensors, MASK: present})

    return {
        DEFAULT: Signature(modalities, answer_all_present),
        MASKED: Signature(inputs, answer),
    }


def _named_inputs(model):
    inputs = getattr(model, "input", None)
    if not isinstance(inputs, dict):
        raise ValueError(
            f"Expected a functional keras.Model with a dict of named inputs; {model} "
            "has none."
        )
    for name in inputs:
        # `self` is taken by the method that TensorFlow passes the inputs to.
        if (
            not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*", name)
            or keyword.iskeyword(name)
            or name == "self"
        ):
            raise ValueError(
                f"A SavedModel cannot have an input {name!r}: expected ASCII letters, "
                "digits and `_.-`, a letter or digit first, and no Python keyword."
            )
    return inputs


def _check_output_names(model):
    names = model.output_names
    if not isinstance(model.output, dict) and len(set(names)) < len(names):
        raise ValueError(
            f"Outputs are called by their layers, which are {names} here: return a "
            "dict to tell them apart."
        )
