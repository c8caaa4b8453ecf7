"""The signatures of a model: their inputs, and the model's answer to them.

A further signature is one more entry of `signatures_of`.
"""

from collections.abc import Callable
from typing import NamedTuple

import keras
from keras import ops

from keras_fusion.common.errors import InputError
from keras_fusion.common.names import (
    DEFAULT,
    EACH_LABEL,
    EDGES,
    EMBEDDING,
    MASK,
    MASKED,
    SURVIVAL,
    safe_names,
)


class Signature(NamedTuple):
    """One way to ask a model.

    Attributes:
        inputs: Symbolic inputs by name: their shapes and dtypes count.
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
    `embedding_masked` too, which take `NAME_present` (B,) bool for each modality; for
    the others all modalities are present. Inputs go by `safe_names(model.input)`.

    Raises:
        ValueError: If an input or output cannot have a name of its own.
    """
    outputs = _named_outputs(model)
    embedding = outputs.pop(EMBEDDING, None)
    if embedding is None and len(outputs) == 1:
        embedding = _before_the_head(model)
    answers = {DEFAULT: _answer(model, outputs)}
    if embedding is not None:
        answers[EMBEDDING] = _answer(model, {EMBEDDING: embedding})
    names = input_names(model)
    inputs = {names[own]: x for own, x in model.input.items() if own != MASK}
    presence = _presence(model, names)
    flags = {name: keras.KerasTensor((None,), "bool") for name in presence}
    signatures = {}
    for key, answer in answers.items():
        answer = _by_name(answer, names, presence)
        signatures[key] = Signature(inputs, answer)
        if presence:
            signatures[MASKED[key]] = Signature(inputs | flags, answer)
    return signatures


def answer_of(model: keras.Model) -> Callable[[dict], dict]:
    """From tensors by the model's own names to its outputs, as `serving_default`."""
    outputs = _named_outputs(model)
    outputs.pop(EMBEDDING, None)
    return _answer(model, outputs)


def input_names(model: keras.Model) -> dict[str, str]:
    """The name in the signatures of every input but the mask, by the person's own."""
    return safe_names([name for name in model.input if name != MASK])


def signature_arrays(model: keras.Model, arrays: dict) -> dict:
    """Arrays by the model's own names as its signatures take them.

    Args:
        model: A functional model with a dict of named inputs.
        arrays: By input; with a `modality_mask` (B, M) its columns become `*_present`.
    """
    names = input_names(model)
    named = {names.get(own, own): x for own, x in arrays.items() if own != MASK}
    if MASK in arrays:
        columns = zip(_presence(model, names), arrays[MASK].T, strict=True)
        named |= dict(columns)
    return named


def classes_output(model: keras.Model, labels: list[str]) -> str | None:
    """The output with the score of each class: `(B, K)` for K labels.

    Its largest number names the class, unless an output `median_class` does.

    It is `probabilities` if there is one of this shape, else the first that has it;
    None where labels go with positions, as in a `(B, H, W, K)` map, where several may
    hold at once or are of times, or the model says `classes` itself.

    Raises:
        ValueError: If no output has one number for each label.
    """
    shapes = {name: x.shape for name, x in _named_outputs(model).items()}
    fitting = [n for n, s in shapes.items() if s[-1] == len(labels) and n != EMBEDDING]
    if not fitting:
        raise InputError(
            f"Expected an output with {len(labels)} classes, one for each label; the "
            f"model's are {shapes}."
        )
    rows = [name for name in fitting if len(shapes[name]) == 2]
    if not rows or {"classes", EACH_LABEL, SURVIVAL} & shapes.keys():
        return None
    return "probabilities" if "probabilities" in rows else rows[0]


def _answer(model, outputs):
    asked = keras.Model(model.input, outputs)

    def answer(tensors):
        outputs = asked(tensors, training=False)
        return {name: _in_float32(x) for name, x in outputs.items()}

    return answer


def _in_float32(x):
    text = keras.backend.standardize_dtype(x.dtype) == "string"
    return x if text else ops.cast(x, "float32")


def _by_name(answer, names, presence):
    """`answer` with the signatures' names for inputs, and flags in place of a mask."""

    def answer_by_name(tensors):
        own = {name: tensors[safe] for name, safe in names.items()}
        if presence:
            batch = ops.shape(next(x for n, x in own.items() if n not in EDGES))[0]
            there = ops.ones((batch,), dtype="bool")
            own[MASK] = ops.stack([tensors.get(n, there) for n in presence], axis=1)
        return answer(own)

    return answer_by_name


def _presence(model, names):
    """The inputs that say whether a modality is present, in the mask's order."""
    if MASK not in model.input:
        return []
    presence = [f"{safe}_present" for own, safe in names.items() if own not in EDGES]
    count = model.input[MASK].shape[1]
    if len(presence) != count or set(presence) & set(names.values()):
        raise InputError(
            f"{MASK} has {count} columns, one for each modality, and each gets an "
            f"input NAME_present; the model's other inputs are {list(names)}."
        )
    return presence


def _named_outputs(model):
    if isinstance(model.output, dict):
        return dict(model.output)
    names = model.output_names
    if len(set(names)) < len(names):
        raise InputError(
            f"Outputs are called by their layers, which are {names} here: return a "
            "dict to tell them apart."
        )
    return dict(zip(names, keras.tree.flatten(model.output), strict=True))


def _before_the_head(model):
    """What the last layer with weights takes; None where no single tensor is that."""
    weighted = [x for x in model.layers if x.weights]
    if not weighted or isinstance(weighted[-1], keras.Model):
        return None
    try:
        taken = weighted[-1].input  # one call's, or Keras raises
        if isinstance(taken, (list, tuple, dict)):
            return None
        keras.Model(taken, model.output)  # all goes through it, or Keras raises
    except (AttributeError, ValueError):
        return None
    return None if any(taken is x for x in model.inputs) else taken
