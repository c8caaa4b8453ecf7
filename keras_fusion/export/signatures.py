"""The signatures of a model: their inputs, and the model's answer to them."""

import keyword
import re
from collections.abc import Callable
from typing import NamedTuple

import keras
from keras import ops

from keras_fusion.names import DEFAULT, EMBEDDING, MASK, MASKED


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
    """What a functional model with a dict of named inputs can be asked.

    `serving_default` gives the outputs, `embedding` what they are computed from: the
    model's output of this name, else what the last layer with weights takes, if the
    model has one output. A model with a `modality_mask` has `serving_masked` and
    `embedding_masked` too, which take it; the others take all else, and all modalities
    are present.

    Raises:
        ValueError: If inputs or outputs have no names that a SavedModel can hold.
    """
    _check_input_names(model.input)
    outputs = _named_outputs(model)
    embedding = outputs.pop(EMBEDDING, None)
    if embedding is None and len(outputs) == 1:
        embedding = _before_the_head(*outputs.values())
    answers = {DEFAULT: _answer(model, outputs)}
    if embedding is not None:
        answers[EMBEDDING] = _answer(model, {EMBEDDING: embedding})
    if MASK not in model.input:
        return {k: Signature(model.input, answer) for k, answer in answers.items()}
    modalities = {name: x for name, x in model.input.items() if name != MASK}
    count = model.input[MASK].shape[1]
    signatures = {}
    for key, answer in answers.items():
        present = _all_present(answer, count)
        signatures[key] = Signature(modalities, present)
        signatures[MASKED[key]] = Signature(model.input, answer)
    return signatures


def classes_output(model: keras.Model, labels: list[str]) -> str | None:
    """The output whose largest number names the class: `(B, K)` for K labels.

    It is `probabilities` if there is one of this shape, else the first that has it;
    None where labels go with positions, as in a `(B, H, W, K)` map, or the model says
    `classes` itself.

    Raises:
        ValueError: If no output has one number for each label.
    """
    shapes = {name: x.shape for name, x in _named_outputs(model).items()}
    fitting = [n for n, s in shapes.items() if s[-1] == len(labels) and n != EMBEDDING]
    if not fitting:
        raise ValueError(
            f"Expected an output with {len(labels)} classes, one for each label; the "
            f"model's are {shapes}."
        )
    rows = [name for name in fitting if len(shapes[name]) == 2]
    if not rows or "classes" in shapes:
        return None
    return "probabilities" if "probabilities" in rows else rows[0]


def _answer(model, outputs):
    asked = keras.Model(model.input, outputs)

    def answer(tensors):
        outputs = asked(tensors, training=False)
        return {name: ops.cast(x, "float32") for name, x in outputs.items()}

    return answer


def _all_present(answer, count):
    def answer_all_present(tensors):
        batch = ops.shape(next(iter(tensors.values())))[0]
        return answer({**tensors, MASK: ops.ones((batch, count), dtype="bool")})

    return answer_all_present


def _named_outputs(model):
    if isinstance(model.output, dict):
        return dict(model.output)
    names = model.output_names
    if len(set(names)) < len(names):
        raise ValueError(
            f"Outputs are called by their layers, which are {names} here: return a "
            "dict to tell them apart."
        )
    return dict(zip(names, keras.tree.flatten(model.output), strict=True))


def _before_the_head(x):
    """What the last layer with weights takes; None where no single tensor is that."""
    while True:
        layer, call, _ = x._keras_history  # Keras has no public way backwards
        taken = layer._inbound_nodes[call].input_tensors
        if len(taken) != 1 or isinstance(layer, keras.Model):
            return None
        if isinstance(layer, keras.Layer) and layer.weights:
            first = isinstance(taken[0]._keras_history[0], keras.layers.InputLayer)
            return None if first else taken[0]
        x = taken[0]


def _check_input_names(inputs):
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
