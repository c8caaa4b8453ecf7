"""The values of a column in any form -> the two forms that kinds of columns read."""

import re

import numpy as np

# What `strip` removes in Python and in TensorFlow alike.
_BLANKS = " \t\n\r\v\f"
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"^([+-]?[0-9]+)\.0+$", re.ASCII)
_LARGEST = float(np.finfo(np.float32).max)


def as_text(values) -> np.ndarray:
    """Values as texts without blanks around them; `""` where one is missing.

    Whole numbers have no point (3.0 is `"3"`), truth values are `"true"` and
    `"false"`, times are in ISO form.

    Args:
        values: `(N,)` array or list of any type.

    Returns:
        `(N,)` array of Python strings.
    """
    values = _array(values)
    if values.dtype.kind == "M":
        missing = np.isnat(values)
        texts = np.datetime_as_string(values.astype("datetime64[us]"), unit="s")
        return np.where(missing, "", texts).astype(object)
    return _objects([_text(value) for value in values.tolist()])


def as_names(values) -> np.ndarray:
    """`as_text`, but a whole number without its point: `"3.0"` is `"3"`.

    Programs write whole numbers so where one of a column is missing.
    """
    return _objects([_WHOLE.sub(r"\1", text) for text in as_text(values).tolist()])


def as_numbers(values) -> np.ndarray:
    """Values as float64; NaN where one is missing, is no number, or is infinite.

    A number that float32 cannot hold counts as infinite.

    Args:
        values: `(N,)` array or list of any type.
    """
    values = _array(values)
    if values.dtype.kind in "biuf":
        numbers = values.astype(np.float64)
    else:
        numbers = np.array([_number(value) for value in values.tolist()], np.float64)
    return np.where(np.abs(numbers) <= _LARGEST, numbers, np.nan)


def missing(values) -> np.ndarray:
    """`(N,)` bool, True where nothing is given."""
    values = _array(values)
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind == "M":
        return np.isnat(values)
    if values.dtype.kind in "biu":
        return np.zeros(len(values), bool)
    return np.array([_is_missing(value) for value in values.tolist()], bool)


def given(texts: np.ndarray) -> list[str]:
    """The texts that are not empty."""
    return [text for text in texts.tolist() if text]


def _array(values):
    values = values if isinstance(values, np.ndarray) else _objects(list(values))
    return values.astype(object) if values.dtype.kind in "US" else values


def _objects(items):
    array = np.empty(len(items), object)  # else numpy makes a matrix of lists
    array[:] = items
    return array


def _is_missing(value):
    if isinstance(value, str | bytes):
        return not (value.strip(_BLANKS) if isinstance(value, str) else value.strip())
    if value is None or isinstance(value, np.ndarray | list):
        return value is None
    try:
        return bool(value != value)  # NaN and NaT differ from themselves
    except TypeError:  # pandas' NA answers nothing
        return True


def _text(value):
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value.strip(_BLANKS)
    if _is_missing(value):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)


def _number(value):
    if isinstance(value, str):
        value = value.strip(_BLANKS)
        return float(value) if _NUMBER.fullmatch(value) else np.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return np.nan
