"""Rows that are made only when they are asked for."""

import abc

import numpy as np


class LazyRows(abc.ABC):
    """`x[rows]` makes these rows, and is an array; `np.asarray` makes all.

    Args:
        shape: Of the whole, `(N, ...)`.
        dtype: Of what is made.
    """

    def __init__(self, shape: tuple[int, ...], dtype):
        self.shape, self.dtype = shape, np.dtype(dtype)
        self.ndim, self.size = len(shape), int(np.prod(shape))

    @abc.abstractmethod
    def make(self, rows: slice | np.ndarray) -> np.ndarray:
        """The array of some rows."""

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, index):
        if isinstance(index, tuple):
            return np.asarray(self)[index]
        if np.ndim(index) == 0 and not isinstance(index, slice):
            return self.make(np.array([index]))[0]
        return self.make(index)

    def __iter__(self):
        return (self[row] for row in range(len(self)))

    def __array__(self, dtype=None, copy=None):
        return self[:].astype(dtype or self.dtype, copy=False)
