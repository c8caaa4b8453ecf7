"""Rows by name -> arrays by input."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_fusion.common.errors import InputError
from keras_fusion.serving.client.absence import check_names, spelled
from keras_fusion.serving.description import PRESENT, Described

Columns = dict[str, Sequence[str]]


def arrays_of(
    rows: Sequence[dict], description: Described, columns: Columns | None = None
) -> dict[str, np.ndarray]:
    """`(B, ...)` arrays by input, with `*_present` where a row lacks one.

    Args:
        rows: B dicts: a value by input, or by column of an input that has some.
        description: Of the signature that is asked.
        columns: The names of the numbers of an input, in its order.

    Raises:
        ValueError: Naming the row and what it lacks or has too much.
    """
    if not rows:
        raise InputError("Expected rows of at least one; received none.")
    columns = spelled(columns or {}, description)
    found = [_inputs(i, row, columns, description) for i, row in enumerate(rows)]
    arrays = {}
    for name in dict.fromkeys(name for row in found for name in row):
        there = np.array([name in row for row in found])
        present = next(row[name] for row in found if name in row)
        empty = np.zeros_like(np.asarray(present))
        try:
            arrays[name] = np.stack([np.asarray(row.get(name, empty)) for row in found])
        except ValueError as error:
            raise InputError(f"Rows must have one shape of {name!r}: {error}") from None
        if not there.all():
            arrays[f"{name}{PRESENT}"] = there
    return arrays


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
    columns = [spelled(row, description) for row in rows]
    if not any(row.keys() & description.inputs.keys() for row in columns):
        raise InputError(
            f"Expected rows with some of {sorted(description.inputs)}; received "
            f"{sorted({name for row in rows for name in row})}."
        )
    return {
        name: _column(name, [row.get(name) for row in columns], tensor)
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


def _inputs(i, row, columns, description):
    """One row by input: its columns are put together in their order."""
    row = dict(row)
    inputs = {}
    for name, names in columns.items():
        given = [column for column in names if column in row]
        if given and len(given) < len(names):
            missing = [column for column in names if column not in row]
            raise InputError(f"Row {i} lacks {missing} of {name!r}; it has {given}.")
        if given:
            inputs[name] = [row.pop(column) for column in names]
    inputs |= spelled(row, description)
    check_names(f"Row {i}: the signature", set(inputs), set(description.inputs))
    return inputs
