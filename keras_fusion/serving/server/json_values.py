"""Nested JSON values to arrays and back, by the mapping of TensorFlow Serving.

Sentences, number formats and what counts as lossless are TensorFlow Serving's own:
`NaN`, `Infinity` and `-Infinity` are no JSON, but it reads and writes them.
"""

import base64
import binascii
import itertools
import json
import math

import numpy as np
import tensorflow as tf

from keras_fusion.serving.errors import invalid

_NAMES = {tf.float32: "float", tf.float64: "double", tf.float16: "half"}
_JSON_TYPES = {dict: "Object", list: "Array", str: "String", type(None): "Null"}
_DEEPEST = 64  # axes, as numpy has them
_LONGEST = 100  # characters of a value that a sentence repeats


def to_array(value, dtype: tf.DType) -> np.ndarray:
    """The array of a scalar, or of lists of equal length at each level.

    Raises:
        ServingError: If a value or a length does not fit.
    """
    shape, first = [], value
    while isinstance(first, list):
        shape.append(len(first))
        if len(shape) > _DEEPEST:
            raise invalid(f"Lists are nested in each other more than {_DEEPEST} deep")
        if not first:
            break
        first = first[0]
    flat = []
    _flatten(value, shape, 0, dtype, flat)
    return _numbers(flat, dtype).reshape(shape)


def to_text(x: np.ndarray, as_bytes: bool = False) -> str:
    """JSON of an array, strings as base64 objects where they are bytes."""
    return _nested(iter(_texts(x.ravel(), as_bytes)), x.shape)


def to_row_texts(x: np.ndarray, as_bytes: bool = False) -> list[str]:
    """JSON of each row of an array."""
    texts = iter(_texts(x.ravel(), as_bytes))
    return [_nested(texts, x.shape[1:]) for _ in x]


def shown(value) -> str:
    """A value as a sentence repeats it, not all of it where it is long."""
    text = ""
    for part in json.JSONEncoder().iterencode(value):  # stops early
        text += part
        if len(text) > _LONGEST:
            return text[:_LONGEST] + "..."
    return text


def is_base64(value) -> bool:
    """Whether it is `{"b64": "..."}`."""
    return (
        isinstance(value, dict)
        and value.keys() == {"b64"}
        and isinstance(value["b64"], str)
    )


def _flatten(value, shape, level, dtype, flat):
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid(
                f"JSON Value: {shown(value)} found at incorrect level: {level + 1} in "
                f"the JSON DOM. Expected at level: {len(shape)}"
            )
        flat.append(_leaf(value, dtype))
        return
    if level >= len(shape):
        raise invalid(
            f"Encountered list at unexpected level: {level} expected < {len(shape)}"
        )
    if len(value) != shape[level]:
        raise invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} "
            f"expected size: {shape[level]}"
        )
    if level == len(shape) - 1 and set(map(type, value)) <= _plain(dtype):
        flat.extend(value)  # nearly all of a request: not one by one
        return
    for item in value:
        _flatten(item, shape, level + 1, dtype, flat)


def _plain(dtype):
    if dtype.is_floating:
        return {int, float}
    return {int} if dtype.is_integer else {bool} if dtype.is_bool else set()


def _leaf(value, dtype):
    if type(value) in _plain(dtype):
        return value
    if dtype == tf.string and isinstance(value, str):
        return _utf8(value)
    if dtype == tf.string and isinstance(value, dict):
        return _decoded(value)
    hint = ""
    if value is None and dtype.is_floating:
        hint = ". JSON has no NaN: TensorFlow Serving takes the bare word NaN"
    raise _wrong_type(value, dtype, hint)


def _wrong_type(value, dtype, hint=""):
    kind = str(value) if isinstance(value, bool) else "Number"
    return invalid(
        f"JSON Value: {shown(value)} Type: {_JSON_TYPES.get(type(value), kind)} is not "
        f"of expected type: {_name(dtype)}{hint}"
    )


def _name(dtype):
    return _NAMES.get(dtype, dtype.name)


def _utf8(value):
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise invalid(f"JSON Value: {shown(value)} is no Unicode text") from None


def _decoded(value):
    if not is_base64(value):
        raise invalid(
            f"JSON Value: {shown(value)} not formatted correctly for base64 data"
        )
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, ValueError):
        raise invalid("Unable to base64 decode") from None


def _numbers(flat, dtype):
    if dtype.is_floating:
        _refuse_lossy(flat, dtype)
    if dtype.is_integer:
        for number in flat:
            if not dtype.min <= number <= dtype.max:
                raise _wrong_type(number, dtype)
    return np.array(flat, dtype.as_numpy_dtype)


def _refuse_lossy(flat, dtype):
    """Refuses integers and magnitudes that the type does not hold."""
    largest = float(dtype.max)
    whole = 2.0 ** (53 if dtype == tf.float64 else 24)
    for number in flat:
        if -whole < number < whole:
            continue
        too_large = math.isfinite(number) and abs(number) > largest
        if type(number) is int or too_large:
            raise invalid(
                f"Cannot convert JSON value: {shown(number)} to {_name(dtype)} without "
                "loss of precision."
            )


def _nested(texts, shape):
    if not shape:
        return next(texts)
    if len(shape) == 1:
        items = itertools.islice(texts, shape[0])
    else:
        items = [_nested(texts, shape[1:]) for _ in range(shape[0])]
    return "[" + ", ".join(items) + "]"


def _texts(flat, as_bytes):
    if flat.dtype == object:
        return [_string(value, as_bytes) for value in flat]
    if flat.dtype.kind == "f":
        return _decimals(flat)
    if flat.dtype.kind in "iub":
        return [json.dumps(value) for value in flat.tolist()]
    raise invalid(f"Failed to write JSON value for tensor type: {flat.dtype.name}")


def _string(value, as_bytes):
    if as_bytes:
        return json.dumps({"b64": base64.b64encode(value).decode()})
    return json.dumps(value.decode(errors="replace"), ensure_ascii=False)


def _decimals(flat):
    """Six digits where they give the number back, else as many as it takes."""
    digits = 17 if flat.dtype == np.float64 else 9
    numbers = flat.tolist()
    short = [f"{number:.6g}" for number in numbers]
    exact = np.array([float(text) for text in short]).astype(flat.dtype) == flat
    return [
        _decimal(text if same else f"{number:.{digits}g}")
        for text, same, number in zip(short, exact, numbers)
    ]


def _decimal(text):
    if text in ("nan", "inf", "-inf"):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[text]
    return text if "." in text or "e" in text else text + ".0"
