"""A file that a person has -> the modalities that a model knows, by name."""

import itertools
from typing import NamedTuple

import numpy as np

from keras_fusion.datasets.arrays import listed
from keras_fusion.datasets.errors import DataError
from keras_fusion.datasets.files.grouping import numbers_of
from keras_fusion.datasets.files.table import Table
from keras_fusion.datasets.schema import Schema


class Rows(NamedTuple):
    """Rows to predict.

    Attributes:
        inputs: `(B, ...)` raw arrays by modality, NaN where something is missing; a
            modality that the file does not have is `(B, 1)`.
        ids: Name and values `(B,)` of the column that names the rows, or None.
        notes: What is absent and what is left over, a sentence each.
    """

    inputs: dict[str, np.ndarray]
    ids: tuple[str, np.ndarray] | None
    notes: tuple[str, ...]


def match(table: Table, schema: Schema, path) -> Rows:
    """The modalities of the schema, wherever their columns stand in the file.

    Raises:
        DataError: If some columns of a modality are there and others are not, none of
            any is there, or a column that is needed holds no numbers.
    """
    taken, absent, lacking = {}, [], []
    for modality, names in schema.modalities.items():
        names = names or _numbered(modality, table.columns)
        there = [name for name in names if name in table.columns]
        if there and len(there) == len(names):
            taken[modality] = there
        elif modality in table.columns and not there:
            taken[modality] = [modality]
        elif there:
            missing = [name for name in names if name not in there]
            lacking.append(f"{modality!r} lacks {listed(missing)}")
        else:
            absent.append(modality)
    if lacking:
        raise DataError(
            f"{path}: the modality {'; '.join(lacking)}. Leave out all columns of a "
            "modality where it is absent; an empty cell is a missing number."
        )
    if not taken:
        known = [name for m in absent for name in schema.modalities[m] or (m,)]
        raise DataError(
            f"{path}: expected columns that the model was trained on "
            f"({listed(known)}); there is {listed(table.columns) or 'none'}."
        )
    columns = {n: table.columns[n] for names in taken.values() for n in names}
    numbers = numbers_of(columns, path, "The model takes numbers in {names}.")
    inputs = {m: _joined(m, names, numbers, path) for m, names in taken.items()}
    count = len(next(iter(inputs.values())))
    empty = np.full((count, 1), np.nan)
    inputs = {m: inputs.get(m, empty) for m in schema.modalities}
    ids = _ids(table, schema)
    used = {*columns, schema.label, "is_train", *schema.left_out, ids and ids[0]}
    return Rows(inputs, ids, _notes(table, schema, absent, used))


def _numbered(modality, columns):
    """`NAME_0`, `NAME_1`, ...: the features of an array, which have no other names."""
    if modality in columns:
        return [modality]
    known = itertools.takewhile(
        columns.__contains__, (f"{modality}_{i}" for i in itertools.count())
    )
    return list(known)


def _joined(modality, names, numbers, path):
    arrays = [numbers[name] for name in names]
    if len(arrays) == 1:
        return arrays[0]
    if any(x.ndim != 1 for x in arrays):
        raise DataError(
            f"{path}: expected one number in each cell of {modality!r}; received lists."
        )
    return np.stack(arrays, axis=1)


def _ids(table, schema):
    for name in (table.index, *schema.left_out, "id"):
        if name is not None and name in table.columns:
            if name not in schema.modalities:
                return name, table.columns[name].labels()
    return None


def _notes(table, schema, absent, used):
    notes = [
        f"the modality {m!r} is absent: there is no {listed(names or (m,))}"
        for m, names in schema.modalities.items()
        if m in absent
    ]
    rest = [name for name in table.columns if name not in used and name != table.index]
    return (*notes, *left_over(rest))


def left_over(names) -> list[str]:
    """A sentence that names columns which a model does not know, or none."""
    names = list(names)
    return (
        [f"left over, since the model does not know it: {listed(names)}"]
        if names
        else []
    )
