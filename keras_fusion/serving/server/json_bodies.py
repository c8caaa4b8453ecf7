"""The bodies of REST predictions: rows or columns in, rows or columns out.

`NaN`, `Infinity` and `-Infinity` are no JSON, but TensorFlow Serving takes and gives
them, and so do Python's reader and writer.
"""

import base64
import binascii
import json

import numpy as np
import tensorflow as tf

from keras_fusion.errors import InputError
from keras_fusion.serving.errors import invalid
from keras_fusion.serving.server.servable import Spec

ROWS, COLUMNS = "instances", "inputs"
_KINDS = {"f": "iuf", "i": "iu", "u": "iu", "b": "b"}  # numpy's, of what JSON holds
_LONGEST = 100  # characters of a value that a sentence repeats


def parse(body: bytes) -> dict:
    """The body as a JSON object with a signature, "" where it names none.

    Raises:
        ServingError: If it is none, or its signature is no text.
    """
    try:
        document = json.loads(body.decode("utf-8-sig"))
    except RecursionError:
        raise invalid("JSON Parse error: it is nested too deeply") from None
    except ValueError as error:
        raise invalid(f"JSON Parse error: {error}") from None
    if not isinstance(document, dict):
        raise invalid(f"Expected a JSON object; received {_shown(document)}")
    if not isinstance(document.setdefault("signature_name", ""), str):
        raise invalid("The value of 'signature_name' must be a string.")
    return document


def arrays_of(document: dict, specs: dict[str, Spec]) -> tuple[str, dict]:
    """The format, `ROWS` or `COLUMNS`, and the arrays by input name.

    As by TensorFlow Serving, columns that the signature does not know are passed over
    while unknown keys of a row are refused.

    Raises:
        ServingError: If a value is missing, unknown or does not fit.
    """
    forms = [key for key in (ROWS, COLUMNS) if key in document]
    if len(forms) != 1:
        raise invalid("Expected either 'inputs' or 'instances'.")
    columns = document[forms[0]]
    if forms == [ROWS]:
        columns = _columns(columns, specs)
    elif not isinstance(columns, dict) or _is_bytes(columns):
        columns = {_only(specs): columns}
    missing = sorted(specs.keys() - columns.keys())
    if missing:
        raise invalid(f"Missing inputs: {', '.join(missing)}.")
    return forms[0], {n: _array(n, columns[n], s.dtype) for n, s in specs.items()}


def response(outputs: dict[str, np.ndarray], form: str) -> str:
    """The body of the answer; a single output goes without its name.

    Raises:
        ServingError: If rows are asked for and the outputs have none.
    """
    values = {name: _value(name, x) for name, x in outputs.items()}
    if form == COLUMNS:
        only = next(iter(values.values())) if len(values) == 1 else values
        return json.dumps({"outputs": only}, ensure_ascii=False)
    sizes = {name: len(x) if x.ndim else None for name, x in outputs.items()}
    if None in sizes.values() or len(set(sizes.values())) > 1:
        raise invalid(f"The outputs have no rows in common ({sizes}): ask by 'inputs'.")
    rows = [dict(zip(values, row)) for row in zip(*values.values())]
    if len(values) == 1:
        rows = next(iter(values.values()))
    return json.dumps({"predictions": rows}, ensure_ascii=False)


def _columns(rows, specs):
    if not isinstance(rows, list) or not rows:
        raise invalid("Expected a list of at least one row in 'instances'.")
    named = [isinstance(row, dict) and not _is_bytes(row) for row in rows]
    if not any(named):
        return {_only(specs): rows}
    for i, row in enumerate(rows):
        if not named[i] or row.keys() != specs.keys():
            raise invalid(
                f"Expected an object with the keys {sorted(specs)} in row {i} of "
                f"'instances'; received {_shown(row)}"
            )
    return {name: [row[name] for row in rows] for name in specs}


def _only(specs):
    """The input that a value without a name is for."""
    if len(specs) != 1:
        raise invalid(f"Expected an object: there are the inputs {sorted(specs)}.")
    return next(iter(specs))


def _array(name, value, dtype):
    try:
        if dtype == tf.string:
            return _bytes(value)
        found = np.array(value)
        wanted = np.dtype(dtype.as_numpy_dtype)
        kinds = _KINDS.get(wanted.kind, "f")  # bfloat16 and its kind are V to numpy
        if found.size and found.dtype.kind not in kinds:
            hint = "; a missing number is the bare word NaN" if kinds != "b" else ""
            raise InputError(f"Expected {dtype.name}{hint}")
        if wanted.kind in "iu" and found.size:
            bounds = np.iinfo(wanted)
            if found.min() < bounds.min or found.max() > bounds.max:
                raise InputError(f"A number does not fit {dtype.name}")
        with np.errstate(over="ignore"):
            array = found.astype(wanted)
        if "f" in kinds and (np.isinf(array) & np.isfinite(found)).any():
            raise InputError(f"A number does not fit {dtype.name}")
    except (ValueError, TypeError, OverflowError) as error:
        sentence = " ".join(str(error).split())[:300].rstrip(".")
        raise invalid(f"Input {name!r}: {sentence}; received {_shown(value)}") from None
    return array


def _bytes(value):
    """An array of the bytes of texts and of `{"b64": ...}`."""

    def decoded(item):
        if isinstance(item, list):
            return [decoded(x) for x in item]
        if isinstance(item, str):
            return item.encode()
        if _is_bytes(item):
            return base64.b64decode(item["b64"], validate=True)
        raise InputError('Expected text or {"b64": "..."}')

    try:
        array = np.array(decoded(value), object)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InputError(f"No base64 or Unicode ({error})") from None
    if not all(isinstance(x, bytes) for x in array.ravel()):
        raise InputError("Lists beside each other must be of one length")
    return array


def _is_bytes(value):
    return (
        isinstance(value, dict)
        and value.keys() == {"b64"}
        and isinstance(value["b64"], str)
    )


def _value(name, x):
    """An array as JSON has it: text as bytes only where the output's name says so."""
    if x.dtype != object:
        if x.dtype.kind not in "fiub":
            raise invalid(f"JSON cannot hold the output {name!r} of {x.dtype.name}.")
        return _shortest(x) if x.dtype.kind == "f" else x.tolist()
    texts = [
        {"b64": base64.b64encode(value).decode()}
        if name.endswith("_bytes")
        else value.decode(errors="replace")
        for value in x.ravel()
    ]
    flat = np.empty(len(texts), object)
    flat[:] = texts
    return flat.reshape(x.shape).tolist()


def _shortest(x):
    """Numbers with the digits that their own precision has."""
    return x.astype(str).astype("float64").tolist() if x.itemsize < 8 else x.tolist()


def _shown(value):
    """A value as a sentence repeats it, not all of it where it is long."""
    text = ""
    for part in json.JSONEncoder().iterencode(value):  # stops early
        text += part
        if len(text) > _LONGEST:
            return text[:_LONGEST] + "..."
    return text
