"""What `export` is given, checked."""

import json
from collections.abc import Collection
from numbers import Integral

import keras

from keras_fusion.common.errors import InputError


def sizes(name: str, given: Collection[int]) -> tuple[int, ...]:
    """The batch sizes without repetition, the smallest first."""
    if not all(isinstance(n, Integral) and n > 0 for n in given) or len(given) > 100:
        raise InputError(
            f"{name} must be at most 100 whole numbers from 1; received {list(given)}."
        )
    return tuple(sorted({int(n) for n in given}))


def about(given: dict | None) -> dict:
    """`recipe` and `metrics` for the manifest, as JSON knows them."""
    found = {"recipe": None, "metrics": None} | (given or {})
    if set(found) != {"recipe", "metrics"}:
        raise InputError(
            f"about may hold 'recipe' and 'metrics'; received {list(found)}."
        )
    try:
        return json.loads(json.dumps(found, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InputError(f"about must be what JSON can hold: {error}.") from error


def columns(model: keras.Model, given: dict) -> dict[str, list[str]]:
    """The names of the numbers of each input that is made of columns."""
    found = {name: [str(x) for x in names] for name, names in given.items()}
    for name, names in found.items():
        if name not in model.input or model.input[name].shape[1:] != (len(names),):
            raise InputError(
                f"Expected the columns of an input of the model, as many as it takes; "
                f"received {len(names)} for {name!r}."
            )
    return found


def check_text(model: keras.Model) -> None:
    """Raises an InputError for a model of texts where Keras cannot compute it."""
    texts = [name for name, x in model.input.items() if x.dtype == "string"]
    if texts and keras.backend.backend() != "tensorflow":
        raise InputError(
            f"The input {texts[0]!r} is text, which Keras computes on TensorFlow "
            "alone: run the export with KERAS_BACKEND=tensorflow."
        )
