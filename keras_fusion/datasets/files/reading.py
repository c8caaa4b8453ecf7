"""Files -> raw data: to train on with labels, or to predict from."""

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from keras_fusion.datasets.arrays import as_modalities, listed
from keras_fusion.datasets.dataset import Raw
from keras_fusion.datasets.errors import DataError
from keras_fusion.datasets.files.arrow import open_csv, open_parquet
from keras_fusion.datasets.files.grouping import by_prefix, left_out, numbers_of
from keras_fusion.datasets.files.json_rows import open_json
from keras_fusion.datasets.files.matching import Rows, match
from keras_fusion.datasets.files.npz import open_npz
from keras_fusion.datasets.files.parts import parts
from keras_fusion.datasets.files.table import Table
from keras_fusion.datasets.schema import Schema

IS_TRAIN = "is_train"
_FORMATS = {
    "npz": open_npz,
    "csv": open_csv,
    "parquet": open_parquet,
    "json": open_json,
}
_OF_COLUMNS = (
    "An empty cell is a missing number. Leave columns out by ignore = {names}, or name "
    "the file as table:FILE, which takes text, categories and dates."
)
_OF_ARRAYS = "Leave arrays out by ignore = {names}."


def read(path: str | Path, *, label: str = "y") -> dict[str, np.ndarray]:
    """The raw modalities of a file of any kind, grouped as `load` groups them.

    Args:
        path: A `.npz`, `.csv` or `.parquet` file as for `load`, or a `.json` file, that
            is `{"modality": [row, ...], ...}` or a list of rows `[{"modality": row}]`.
            There null is a missing number or an absent modality.
        label: Array or column that is no modality; it may be there or not.

    Returns:
        `(B, ...)` arrays by modality of the file's own dtype, not standardized, NaN
        where something is missing. A modality that is null in all rows of a json file
        is `(B, 1)`.

    Raises:
        DataError: If the file is missing, of another kind, or does not hold such data.
    """
    table, path = _open(path), Path(path)
    out, _ = left_out(table, {label, IS_TRAIN}) if table.by_prefix else ([], [])
    return _inputs(table, {label, IS_TRAIN, *out}, path)[0]


def read_rows(path: str | Path, schema: Schema) -> Rows:
    """Rows to predict from, matched by name to what a model was trained on.

    Raises:
        DataError: If the file is missing, of another kind, or does not fit.
    """
    rows = match(_open(path), schema, path)
    return rows._replace(inputs=as_modalities(rows.inputs, path))


def row_parts(path: str | Path, schema: Schema, rows: int) -> Iterator[Rows]:
    """`read_rows` of a csv or parquet file, at most so many rows at once."""
    for table in parts(path, rows):
        found = match(table, schema, path)
        yield found._replace(inputs=as_modalities(found.inputs, path))


def read_labeled(
    path: str | Path,
    kind: str,
    label: str,
    ignore: Sequence[str] = (),
    reserved: Sequence[str] = (),
) -> Raw:
    """The modalities, labels and (where there is one) split of a file.

    Rows without a label are left out, and counted in a note.

    Args:
        kind: `"npz"`, `"csv"` or `"parquet"`, whatever the file is called.
        label: Array or column that holds the labels.
        ignore: Columns to leave out.
        reserved: Columns that are no input and are kept as they are in `Raw.reserved`.

    Raises:
        DataError: If the file is missing, unreadable, or does not hold such data.
    """
    table, path = _open(path, kind), Path(path)
    if label not in table.columns:
        raise DataError(
            f"{path}: no label {label!r}; there is {listed(table.columns)}."
        )
    _require_known("ignore", ignore, table, path)
    _require_known("a split", reserved, table, path)
    no_input = {label, IS_TRAIN, *reserved, *ignore}
    out, notes = left_out(table, no_input) if table.by_prefix else ([], [])
    inputs, columns, more = _inputs(table, no_input | set(out), path)
    labels = table.columns[label].labels()
    is_train = None
    if IS_TRAIN in table.columns:
        is_train = table.columns[IS_TRAIN].numbers()
    kept = {name: table.columns[name].labels() for name in reserved}
    raw = Raw(
        inputs,
        labels,
        is_train,
        columns=columns,
        left_out=(*out, *ignore, *reserved),
        notes=(*notes, *more),
        reserved=kept,
    )
    return _labeled_rows(raw)


def _open(path, kind=None) -> Table:
    path = Path(path).expanduser()
    kind = kind or path.suffix.removeprefix(".").lower()
    if kind not in _FORMATS:
        raise DataError(f"{path}: expected a file ending in .{', .'.join(_FORMATS)}.")
    if not path.is_file():
        raise DataError(f"{path}: no such file.")
    return _FORMATS[kind](path)


def _inputs(table, no_input, path):
    """Modalities, the columns that each is made of, and notes."""
    columns = {n: x for n, x in table.columns.items() if n not in no_input}
    hint = _OF_COLUMNS if table.by_prefix else _OF_ARRAYS
    numbers = numbers_of(columns, path, hint)
    if not table.by_prefix:
        return as_modalities(numbers, path), {}, []
    arrays, names, notes = by_prefix(numbers, path)
    return as_modalities(arrays, path), names, notes


def _labeled_rows(raw):
    """The rows that have a label."""
    if raw.labels.ndim != 1 or len(raw.labels) != len(next(iter(raw.inputs.values()))):
        return raw  # masks, or a fault that `prepare` names
    missing = np.array([x is None or x != x for x in raw.labels.tolist()], bool)
    if not missing.any() or missing.all():
        return raw
    rows = raw.rows(~missing)
    count = int(missing.sum())
    words = "1 row" if count == 1 else f"{count} rows"
    return rows.noted(f"left out {words} without a label")


def _require_known(what, names, table, path):
    for name in names:
        if name not in table.columns:
            close = difflib.get_close_matches(name, table.columns, n=1)
            hint = f"; the closest is {close[0]!r}" if close else ""
            raise DataError(
                f"{path}: {what} names the column {name!r}, which is not there{hint}."
            )
