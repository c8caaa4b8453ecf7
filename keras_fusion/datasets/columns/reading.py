"""csv, tsv and parquet files -> columns, as they stand there."""

import glob
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from keras_fusion.datasets.arrays import listed
from keras_fusion.datasets.errors import DataError
from keras_fusion.datasets.files.arrow import open_csv, open_parquet
from keras_fusion.datasets.files.parts import parts
from keras_fusion.datasets.files.table import Table

_OPEN = {
    ".csv": open_csv,
    ".tsv": open_csv,
    ".txt": open_csv,
    ".parquet": open_parquet,
}
_SOME = 10_000  # rows that are looked through at once
# A number as much of Europe writes it, 1.234,5, and whole numbers beside it.
_COMMA = re.compile(r"\s*[+-]?([0-9]+|[0-9]{1,3}(\.[0-9]{3})+)(,[0-9]+)?\s*")
_NO_NUMBER = re.compile(r"[^0-9,]*")  # a mark of what is missing: ?, -, NA


def read_columns(path: str | Path) -> dict[str, np.ndarray]:
    """The columns of a table, each `(N,)`.

    What a csv file holds stays text (no number loses its zeros in front), with None
    for an empty cell; in a column of numbers with decimal commas they become points.

    Args:
        path: A `.csv`, `.tsv`, `.txt` or `.parquet` file, a folder of such files, or a
            glob; several files are one below the other.

    Raises:
        DataError: If there is no such file, it cannot be read, or files differ in
            their columns.
    """
    tables = [(file, _read(file)) for file in files_of(path)]
    first, columns = tables[0]
    for file, table in tables[1:]:
        _require_same(file, set(table), first, set(columns))
    if not tables[1:]:
        return columns
    parts = {name: [table[name] for _, table in tables] for name in columns}
    return {name: _joined(x) for name, x in parts.items()}


def column_parts(path: str | Path, rows: int) -> Iterator[dict[str, np.ndarray]]:
    """The columns of a table, at most so many rows at once; see `read_columns`.

    The files are read twice, the first time to find the columns with decimal commas.
    """
    files = files_of(path)
    names = [set(next(parts(file, 1), Table({})).columns) for file in files]
    for file, own in zip(files, names):
        _require_same(file, own, files[0], names[0])
    pointed = _columns_with_commas(files)
    for file in files:
        for part in parts(file, rows):
            values = {name: column.labels() for name, column in part.columns.items()}
            yield values | {n: _pointed(values[n]) for n in pointed if n in values}


def files_of(path: str | Path) -> list[Path]:
    """The files of a table, in the order of their names; see `read_columns`."""
    path = Path(path).expanduser()
    if path.is_dir():
        found = sorted(p for p in path.iterdir() if p.suffix.lower() in _OPEN)
    elif path.is_file():
        found = [path]
    else:
        found = [Path(name) for name in sorted(glob.glob(str(path)))]
    found = [file for file in found if file.is_file()]  # a pipe may have no end
    if not found:
        raise DataError(f"{path}: no such file, or no {', '.join(_OPEN)} there.")
    for file in found:
        if file.suffix.lower() not in _OPEN:
            raise DataError(f"{file}: expected a table ending in {', '.join(_OPEN)}.")
    return found


def folder_of(path: str | Path) -> Path:
    """The folder of a table's files, to which the paths in it are relative."""
    return files_of(path)[0].parent


def _read(file):
    columns = _OPEN[file.suffix.lower()](file).columns
    return {name: _with_points(column.labels()) for name, column in columns.items()}


def _with_points(values):
    return _pointed(values) if _any_comma(values) and _numbers(values) else values


def _any_comma(values):
    return values.dtype == object and any(
        isinstance(value, str) and "," in value for value in values.tolist()
    )


def _numbers(values):
    return all(
        value is None or (isinstance(value, str) and (_number(value) or _mark(value)))
        for value in values.tolist()
    )


_number, _mark = _COMMA.fullmatch, _NO_NUMBER.fullmatch


def _pointed(values):
    points = [
        value.replace(".", "").replace(",", ".") if value and _number(value) else value
        for value in values.tolist()
    ]
    return np.array(points, object)


def _columns_with_commas(files):
    """Names of the columns of numbers, some with a comma, and of marks for gaps."""
    found = set(_with_commas(files))
    for file in files if found else ():
        for part in parts(file, _SOME):
            found = {n for n in found if _numbers(part.columns[n].labels())}
            if not found:
                return found
    return found


def _with_commas(files):
    import pyarrow.compute as pc

    for file in files:
        for part in parts(file, _SOME):
            for name, column in part.columns.items():
                text = str(column.values.type) in ("string", "large_string")
                if text and pc.any(pc.match_substring(column.values, ",")).as_py():
                    yield name


def _require_same(file, names, first, expected):
    if names != expected:
        raise DataError(
            f"{file}: expected the columns of {first}; differing are "
            f"{listed(sorted(names ^ expected))}."
        )


def _joined(parts):
    if len({part.dtype for part in parts}) > 1:
        parts = [part.astype(object) for part in parts]
    return np.concatenate(parts)
