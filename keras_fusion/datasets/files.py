"""npz, csv, parquet and json files -> raw arrays by modality."""

import importlib
import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

from keras_fusion.datasets.arrays import as_modalities, as_numbers, listed
from keras_fusion.datasets.dataset import Raw

_UNREADABLE = (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error)


def read(path: str | Path, *, label: str = "y") -> dict[str, np.ndarray]:
    """The raw modalities of a file, to predict from.

    Args:
        path: A `.npz`, `.csv` or `.parquet` file as for `load`, or a `.json` file, that
            is `{"modality": [row, ...], ...}` or a list of rows `[{"modality": row}]`.
            There null is a missing number or an absent modality.
        label: Array or column that is no modality; it may be there or not.

    Returns:
        `(B, ...)` float32 arrays by modality, not standardized, NaN where something is
        missing. A modality that is null in all rows of a json file is `(B, 1)`.

    Raises:
        ValueError: If the file is missing, of another kind, or does not hold such data.
    """
    kind = Path(path).suffix.removeprefix(".").lower()
    if kind not in _FORMATS:
        raise ValueError(f"{path}: expected a file ending in .{', .'.join(_FORMATS)}.")
    return {m: x.astype(np.float32) for m, x in _read(path, kind, label).inputs.items()}


def read_labelled(path: str | Path, kind: str, label: str) -> Raw:
    """The modalities, labels and (where there is one) split of a file.

    Args:
        kind: `"npz"`, `"csv"` or `"parquet"`, whatever the file is called.
        label: Array or column that holds the labels.

    Raises:
        ValueError: If the file is missing, unreadable, or does not hold such data.
    """
    return _read(path, kind, label, labelled=True)


def _read(path, kind, label, labelled=False):
    path = Path(path).expanduser()
    if not path.is_file():
        raise ValueError(f"{path}: no such file.")
    open_file, assemble = _FORMATS[kind]
    try:
        arrays = open_file(path)
    except _UNREADABLE as error:
        raise ValueError(f"{path}: cannot be read as {kind} ({error}).") from error
    if labelled and label not in arrays:
        raise ValueError(f"{path}: no label {label!r}; there is {listed(arrays)}.")
    labels, is_train = arrays.pop(label, None), arrays.pop("is_train", None)
    return Raw(as_modalities(assemble(arrays, path), path), labels, is_train)


def _npz(path):
    if not zipfile.is_zipfile(path):  # else numpy speaks of pickles
        raise ValueError("it is no zip archive")
    with path.open("rb") as file:  # numpy leaves a broken one open
        return dict(np.load(file, allow_pickle=False))


def _csv(path):
    csv = _pyarrow("csv")
    options = csv.ConvertOptions(strings_can_be_null=True)
    return _columns(csv.read_csv(path, convert_options=options))


def _parquet(path):
    return _columns(_pyarrow("parquet").read_table(path))


def _pyarrow(module):
    try:
        return importlib.import_module(f"pyarrow.{module}")
    except ImportError as error:
        raise ImportError(
            "Reading csv and parquet files needs pyarrow: "
            'pip install "keras-fusion[datasets]".'
        ) from error


def _columns(table):
    names = table.column_names
    if len(set(names)) < len(names):
        twice = {name for name in names if names.count(name) > 1}
        raise ValueError(f"several columns are called {listed(sorted(twice))}")
    return {name: _column(table.column(name)) for name in names}


def _column(column):
    """Strings as Python objects, all else as numbers with NaN for null."""
    if str(column.type) in ("bool", "null"):
        column = column.cast("float64")
    return column.to_numpy()


def _grouped(columns, path):
    """Columns -> one `(N, features)` array per prefix, in the order of the file."""
    groups = {}
    for name, values in columns.items():
        prefix = name.partition("_")[0]
        groups.setdefault(prefix, []).append(as_numbers(name, values, path))
    return {prefix: np.stack(group, axis=1) for prefix, group in groups.items()}


def _json(path):
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, list) and all(isinstance(row, dict) for row in content):
        names = dict.fromkeys(name for row in content for name in row)
        return {name: [row.get(name) for row in content] for name in names}
    if isinstance(content, dict):
        return content
    raise ValueError("expected an object of modalities or a list of such rows")


def _stacked(modalities, path):
    return {name: _rows(name, rows, path) for name, rows in modalities.items()}


def _rows(name, rows, path):
    """A list of rows -> `(N, ...)`; null becomes NaN in the shape of the others."""
    try:
        if not isinstance(rows, list):
            raise TypeError(type(rows))
        shape = next((np.shape(row) for row in rows if row is not None), ())
        absent = np.full(shape, np.nan)
        return np.array([absent if row is None else row for row in rows], np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: expected {name!r} to be a list of rows, numbers or null, "
            "all of one shape."
        ) from error


_FORMATS = {
    "npz": (_npz, lambda arrays, path: arrays),
    "csv": (_csv, _grouped),
    "parquet": (_parquet, _grouped),
    "json": (_json, _stacked),
}
