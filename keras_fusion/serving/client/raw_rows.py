"""Rows of a person's table -> what the signature `serving_raw` takes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_fusion.errors import InputError
from keras_fusion.names import safe_names
from keras_fusion.serving.description import Described


def raw_arrays(rows: Sequence[dict], description: Described) -> dict[str, np.ndarray]:
    """`(B, ...)` arrays by input of rows by column; columns of no input are left out.

    Args:
        rows: B dicts by the person's own names of columns. A column that is left out,
            None or NaN is missing. A `pathlib.Path` stands for the bytes of its file.
        description: Of the signature.

    Raises:
        ValueError: If there is no row, none has a column of the signature, or a file
            cannot be read.
    """
    spelled = [{safe_names([name])[name]: x for name, x in row.items()} for row in rows]
    if not any(row.keys() & description.inputs.keys() for row in spelled):
        raise InputError(
            f"Expected rows with some of {sorted(description.inputs)}; received "
            f"{sorted({name for row in rows for name in row})}."
        )
    return {
        name: _column(name, [row.get(name) for row in spelled], tensor)
        for name, tensor in description.inputs.items()
    }


def _column(name, values, tensor):
    if tensor.dtype.hasobject:
        column = np.empty(len(values), object)
        column[:] = [_text(value) for value in values]
        return column
    absent = np.full(tensor.shape[1:], np.nan)
    try:
        rows = [absent if _missing(value) else value for value in values]
        return np.stack([np.asarray(row, tensor.dtype) for row in rows])
    except (TypeError, ValueError) as error:
        raise InputError(f"Expected numbers in {name!r}: {error}") from error


def _text(value):
    if _missing(value):
        return b""
    if isinstance(value, bytes):
        return value
    if isinstance(value, Path):
        try:
            return value.read_bytes()
        except OSError as error:
            raise InputError(f"{value} cannot be read: {error}.") from error
    if isinstance(value, bool | np.bool_):
        return b"true" if value else b"false"
    if hasattr(value, "isoformat"):
        return value.isoformat().encode()
    return str(value).encode()


def _missing(value):
    return value is None or (isinstance(value, float) and value != value)
