"""Rows whose files are read only when they are asked for."""

import hashlib
from pathlib import Path

import numpy as np

from keras_fusion.datasets.lazy_rows import LazyRows

_CHUNK = 64  # rows that are in memory at once while all files are looked through


class ReadRows(LazyRows):
    """Some rows of a column of files: `x[rows]` reads them, and is an array.

    The files may be larger together than the memory. `np.asarray` reads all.

    Args:
        column: What the kind of the column learned.
        values: `(N,)` paths, or bytes.
    """

    def __init__(self, column, values: np.ndarray):
        nothing, _ = column.encode(values[:0])
        super().__init__((len(values), *nothing.shape[1:]), nothing.dtype)
        self.column, self.values = column, values

    def make(self, rows):
        return self.column.encode(self.values[rows])[0]

    def take(self, rows: np.ndarray) -> "ReadRows":
        """These rows, none of them read yet."""
        return ReadRows(self.column, self.values[rows])

    def present(self) -> np.ndarray:
        """`(N,)` bool, False where there is no file or it cannot be read.

        All files are read, some rows at once.
        """
        parts = [
            self.column.encode(self.values[i : i + _CHUNK])[1]
            for i in range(0, len(self), _CHUNK)
        ]
        return np.concatenate(parts)

    def fingerprint(self) -> bytes:
        """What differs where paths, sizes of files, or what was learned differ."""
        digest = hashlib.sha256(repr(self.column.state).encode())
        for value in self.values.tolist():
            digest.update(_identity(value))
        return digest.digest()


def streamed(column, values: np.ndarray) -> tuple[ReadRows, np.ndarray]:
    """What `column.encode` gives, with rows that are read later."""
    rows = ReadRows(column, values)
    return rows, rows.present()


def take(x, rows: np.ndarray):
    """These rows of an array, or of `ReadRows` without reading them."""
    return x.take(rows) if isinstance(x, ReadRows) else x[rows]


def _identity(value):
    if isinstance(value, bytes):
        return hashlib.sha256(value).digest()
    path = Path(str(value))
    return f"{value}\0{path.stat().st_size if path.is_file() else ''}\n".encode()
