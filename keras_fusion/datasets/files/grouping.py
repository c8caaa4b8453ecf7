"""Columns that nobody has named to us yet -> modalities, for training."""

import numpy as np

from keras_fusion.datasets.arrays import as_numbers, listed
from keras_fusion.datasets.errors import DataError
from keras_fusion.datasets.files.table import Column, NotNumbers, Table

_IDENTIFIES = {"id", "index", "uuid", "guid", "row", "row_id", "rowid", "key"}
_FEW = 20  # rows in which all values of a measurement may differ by chance


def left_out(table: Table, reserved: set[str]) -> tuple[list[str], list[str]]:
    """Columns that number the rows, and a note for each.

    Args:
        table: A file of columns.
        reserved: Names that are something else already, such as the label.
    """
    names, notes = [], []
    if table.index is not None and table.index not in reserved:
        names.append(table.index)
        notes.append(f"left out {table.index!r}: it is the index that pandas writes")
    for name, column in table.columns.items():
        if name in reserved or name in names or not _names_an_identity(name):
            continue
        if _all_differ(column.labels()):
            names.append(name)
            notes.append(f"left out {name!r}: its every value is different")
    return names, notes


def numbers_of(columns: dict[str, Column], path, hint: str) -> dict[str, np.ndarray]:
    """The numbers of these columns; one error names all that hold something else.

    Raises:
        DataError: With `hint` at its end, where `{names}` stands for the columns.
    """
    found, reasons = {}, {}
    for name, column in columns.items():
        try:
            found[name] = as_numbers(name, column.numbers(), path)
        except NotNumbers as error:
            reasons[name] = str(error)
    if reasons:
        names = "[" + ", ".join(f'"{name}"' for name in reasons) + "]"
        where = " (rows are counted from 0)" if "in row" in str(reasons) else ""
        raise DataError(
            f"{path}: expected numbers; {listed(reasons.values())}{where}. "
            + hint.format(names=names)
        )
    return found


def by_prefix(columns: dict[str, np.ndarray], path):
    """Columns -> modalities, by what stands before the first `_`.

    A column of lists is a modality by itself, under its whole name.

    Returns:
        `(N, features)` arrays by modality in the order of the file, the names of their
        columns, and notes.
    """
    groups, arrays = {}, {}
    for name, values in columns.items():
        if values.ndim > 1:
            arrays[name] = values
        else:
            groups.setdefault(name.partition("_")[0], []).append(name)
    both = sorted(arrays.keys() & groups.keys())
    if both:
        raise DataError(
            f"{path}: the modality {both[0]!r} is a column of lists and the prefix of "
            f"{groups[both[0]][0]!r}: call one of them differently."
        )
    for modality, names in groups.items():
        arrays[modality] = np.stack([columns[name] for name in names], axis=1)
    return (
        arrays,
        {m: tuple(names) for m, names in groups.items()},
        _notes(groups, columns),
    )


def _notes(groups, columns):
    notes = []
    if len(groups) > 2 and all(len(names) == 1 for names in groups.values()):
        notes.append(
            f"each of the {len(groups)} columns is a modality of its own: call them "
            "PREFIX_NAME to make one modality of those with one prefix"
        )
    for name, values in columns.items():
        if values.dtype.kind in "iu" and len(values) > _FEW and _all_differ(values):
            notes.append(
                f"every value of {name!r} is a different whole number: if it only "
                f'names the row, leave it out by ignore = ["{name}"]'
            )
    return notes


def _names_an_identity(name):
    name = name.casefold()
    return name in _IDENTIFIES or name.endswith(("_id", " id"))


def _all_differ(values):
    """Whether all are whole numbers or texts, no two of them the same."""
    if values.ndim != 1 or values.dtype.kind not in "iuUO":
        return False
    if not all(isinstance(x, str | int) for x in values.tolist()):
        return False
    return len(set(values.tolist())) == len(values)
