"""Rows whose files are read only when they are asked for."""

import hashlib
from pathlib import Path

import numpy as np

_CHUNK = 256  # rows that are in memory at once while all files are looked through


class ReadRows:
    """Some rows of a column of files: `x[rows]` reads them, and is an array.

    The files may be larger together than the memory. `np.asarray` reads all.

    Args:
        column: What the kind of the column learned.
        values: `(N,)` paths, or bytes.
    """

    def __init__(self, column, values: np.ndarray):
        nothing, _ = column.encode(values[:0])
        self.column, self.values = column, values
        self.dtype = nothing.dtype
        self.shape = (len(values), *nothing.shape[1:])
        self.ndim = len(self.shape)
        self.size = int(np.prod(self.shape))

    def __len__(self):
        return len(self.values)

    def __getitem__(self, index):
        if isinstance(index, tuple):
            return np.asarray(self)[index]
        one = np.ndim(index) == 0 and not isinstance(index, slice)
        values = self.values[[index]] if one else self.values[index]
        rows, _ = self.column.encode(values)
        return rows[0] if one else rows

    def __iter__(self):
        return (self[row] for row in range(len(self)))

    def __array__(self, dtype=None, copy=None):
        return self[:].astype(dtype or self.dtype, copy=False)

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
