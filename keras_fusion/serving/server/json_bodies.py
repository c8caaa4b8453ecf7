"""The bodies of REST predictions: rows or columns in, rows or columns out.

`NaN`, `Infinity` and `-Infinity` are no JSON, but TensorFlow Serving takes and gives
them, and so do Python's reader and writer.
"""

import json

import numpy as np
import tensorflow as tf

from keras_fusion.serving import texts
from keras_fusion.serving.errors import invalid

ROWS, COLUMNS = "instances", "inputs"


def parse(body: bytes) -> dict:
    """The body as a JSON object with rows or columns.

    Raises:
        ServingError: If it is none.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON Parse error: {error}") from None
    if not isinstance(document, dict) or (ROWS in document) == (COLUMNS in document):
        raise invalid("Expected a JSON object with either 'inputs' or 'instances'.")
    if not isinstance(document.setdefault("signature_name", ""), str):
        raise invalid("The value of 'signature_name' must be a string.")
    return document


def arrays_of(document: dict, specs: dict[str, tf.TensorSpec]) -> dict[str, np.ndarray]:
    """The arrays by input name.

    As by TensorFlow Serving, columns that the signature does not know are passed over
    while unknown keys of a row are refused.

    Raises:
        ServingError: If a value is missing, unknown or does not fit.
    """
    if ROWS in document:
        columns = _columns(document[ROWS], specs)
    else:
        columns = document[COLUMNS]
        if not isinstance(columns, dict) or not specs.keys() & columns.keys():
            columns = {_only(specs): columns}
    missing = sorted(specs.keys() - columns.keys())
    if missing:
        raise invalid(f"Missing inputs: {', '.join(missing)}.")
    return {name: _array(name, columns[name], s.dtype) for name, s in specs.items()}


def answer(outputs: dict[str, np.ndarray], document: dict) -> dict:
    """The body of the answer; a single output goes without its name.

    Raises:
        ServingError: If rows are asked for and the outputs have none.
    """
    form, values = "outputs", {name: _value(name, x) for name, x in outputs.items()}
    if ROWS in document:
        form, sizes = "predictions", {x.shape[:1] for x in outputs.values()}
        if len(sizes) != 1 or () in sizes:
            raise invalid("The outputs have no rows in common: ask by 'inputs'.")
    if len(values) == 1:
        (values,) = values.values()
    elif ROWS in document:
        values = [dict(zip(values, row)) for row in zip(*values.values())]
    return {form: values}


def _columns(rows, specs):
    if not isinstance(rows, list) or not rows:
        raise invalid("Expected a list of at least one row in 'instances'.")
    if all(isinstance(row, dict) and row.keys() == specs.keys() for row in rows):
        return {name: [row[name] for row in rows] for name in specs}
    return {_only(specs): rows}


def _only(specs):
    """The input that a value without a name is for."""
    if len(specs) != 1:
        raise invalid(f"Expected objects with the keys {sorted(specs)}.")
    return next(iter(specs))


def _array(name, value, dtype):
    kinds = "iuf" if dtype.is_floating else "iu" if dtype.is_integer else "b"
    try:
        if dtype == tf.string:
            x = np.array(texts.from_json(value), object)
            fits = all(isinstance(text, bytes) for text in x.flat)
        else:
            exact = np.array(value)
            with np.errstate(over="ignore"):
                x = exact.astype(dtype.as_numpy_dtype)
            same = np.isinf(x) == np.isinf(exact) if "f" in kinds else x == exact
            fits = not x.size or (exact.dtype.kind in kinds and same.all())
    except (TypeError, ValueError, OverflowError, RecursionError):
        fits = False
    if not fits:
        raise invalid(
            f"Input {name!r} must be {dtype.name} in lists of one length, with the "
            "bare word NaN where a number is missing."
        )
    return x


def _value(name, x):
    """An array as JSON has it: text as bytes only where the output's name says so."""
    if x.dtype == object:
        decode = np.vectorize(lambda text: text.decode(errors="replace"), otypes="O")
        raw = name.endswith("_bytes") or not x.size
        return texts.to_json((x if raw else decode(x)).tolist())
    if x.dtype.kind == "f" and x.itemsize < 8:
        x = x.astype(str).astype("float64")  # the digits that its precision has
    return x.tolist()
