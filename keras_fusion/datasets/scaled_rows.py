"""Rows of small whole numbers that are scaled only when they are asked for."""

import numpy as np

from keras_fusion.datasets.lazy_rows import LazyRows
from keras_fusion.datasets.scaling import Scale


class ScaledRows(LazyRows, np.lib.mixins.NDArrayOperatorsMixin):
    """Some rows of an array, scaled as they are read: `x[rows]` is a float32 array.

    Pictures of bytes would be four times as large in float32. Keras, `np.asarray` and
    all numpy functions take it for an array, of which they make a whole one.

    Args:
        values: `(N, ...)` array that several of these share.
        rows: Which of its rows are these, `(B,)`.
        scale: That of the modality.
    """

    def __init__(self, values: np.ndarray, rows: np.ndarray, scale: Scale):
        super().__init__((len(rows), *values.shape[1:]), np.float32)
        self._values, self._rows, self._scale = values, rows, scale

    def make(self, rows):
        return self._scale(self._values[self._rows[rows]])

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        whole = (np.asarray(x) if isinstance(x, ScaledRows) else x for x in inputs)
        return getattr(ufunc, method)(*whole, **kwargs)
