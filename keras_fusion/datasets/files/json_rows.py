"""JSON: modalities by name, or rows by name."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_fusion.datasets.errors import DataError
from keras_fusion.datasets.files.table import NotNumbers, Table

_BROKEN = (ValueError, TypeError, OverflowError, RecursionError, MemoryError)


@dataclass(frozen=True)
class JsonColumn:
    """A list of rows, numbers or null."""

    name: str
    rows: object

    def numbers(self) -> np.ndarray:
        """null becomes NaN in the shape of the other rows."""
        try:
            if not isinstance(self.rows, list):
                raise TypeError(type(self.rows))
            shape = next((np.shape(x) for x in self.rows if x is not None), ())
            absent = np.full(shape, np.nan)
            rows = [absent if row is None else row for row in self.rows]
            if _hold_text(rows):
                raise TypeError("text")
            return np.array(rows, np.float64)
        except _BROKEN as error:
            raise NotNumbers(
                f"{self.name!r} is not a list of rows, numbers or null, all of one "
                "shape"
            ) from error

    def labels(self) -> np.ndarray:
        if not isinstance(self.rows, list):
            raise DataError(f"expected {self.name!r} to be a list of rows.")
        return np.array([_plain(row) for row in self.rows], object)


def open_json(path: Path) -> Table:
    """What `{"modality": [row, ...], ...}` or `[{"modality": row, ...}, ...]` holds.

    Raises:
        DataError: If it is neither.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (*_BROKEN, OSError) as error:
        raise DataError(f"{path}: cannot be read as json ({error}).") from error
    if isinstance(content, list) and all(isinstance(row, dict) for row in content):
        names = dict.fromkeys(name for row in content for name in row)
        content = {name: [row.get(name) for row in content] for name in names}
    if not isinstance(content, dict):
        raise DataError(
            f"{path}: cannot be read as json (expected an object of modalities or a "
            "list of such rows)."
        )
    return Table({name: JsonColumn(name, rows) for name, rows in content.items()})


def _hold_text(rows):
    """Whether a text is in it, which numpy would take for a number where it can."""
    return any(
        isinstance(x, str) or (isinstance(x, list) and _hold_text(x)) for x in rows
    )


def _plain(value):
    return value if value is None or isinstance(value, str) else json.dumps(value)
