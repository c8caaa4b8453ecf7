"""Rows of small whole numbers that are scaled only when they are asked for."""

import numpy as np

from keras_fusion.datasets.scaling import Scale


class ScaledRows(np.lib.mixins.NDArrayOperatorsMixin):
    """Some rows of an array, scaled as they are read: `x[rows]` is a float32 array.

    Pictures of bytes would be four times as large in float32. Keras, `np.asarray` and
    all numpy functions take it for an array, of which they make a whole one.

    Args:
        values: `(N, ...)` array that several of these share.
        rows: Which of its rows are these, `(B,)`.
        scale: That of the modality.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, values: np.ndarray, rows: np.ndarray, scale: Scale):
        self._values, self._rows, self._scale = values, rows, scale
        self.shape = (len(rows), *values.shape[1:])
        self.ndim = values.ndim
        self.size = int(np.prod(self.shape))

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, index):
        if isinstance(index, tuple):
            return np.asarray(self)[index]
        rows = self._rows[index]
        if rows.ndim == 0:
            return self._scale(self._values[rows][None])[0]
        return self._scale(self._values[rows])

    def __iter__(self):
        return (self[row] for row in range(len(self)))

    def __array__(self, dtype=None, copy=None):
        return self[:].astype(dtype or self.dtype, copy=False)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        whole = (np.asarray(x) if isinstance(x, ScaledRows) else x for x in inputs)
        return getattr(ufunc, method)(*whole, **kwargs)
