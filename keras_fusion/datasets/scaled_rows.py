"""Rows that are scaled only when they are asked for."""

import numpy as np

from keras_fusion.datasets.lazy_rows import LazyRows
from keras_fusion.datasets.scaling import Scale, chunks


class ScaledRows(LazyRows, np.lib.mixins.NDArrayOperatorsMixin):
    """Some rows of an array, scaled as they are read: `x[rows]` is a float32 array.

    Pictures of bytes would be four times as large in float32, and maps of float32 would
    be there twice. Keras, `np.asarray` and all numpy functions take it for an array, of
    which they make a whole one.

    Args:
        values: `(N, ...)` array that several of these share.
        rows: Which of its rows are these, `(B,)`.
        scale: That of the modality.
        present: `(N,)` bool; NaN cells of rows that are there are imputed.
    """

    def __init__(
        self, values: np.ndarray, rows: np.ndarray, scale: Scale, present: np.ndarray
    ):
        super().__init__((len(rows), *values.shape[1:]), np.float32)
        self._values, self._rows = values, rows
        self._scale, self._present = scale, present

    def make(self, rows):
        some = self._rows[rows]
        out = np.empty((len(some), *self.shape[1:]), np.float32)
        for part in chunks(out.shape):
            raw = self._values[some[part]]
            out[part] = self._scale(raw)
            if (gaps := self._gaps(some[part], raw)).any():
                out[part][gaps] = np.broadcast_to(self._scale.fill, raw.shape)[gaps]
        return out

    def imputed(self) -> int:
        """How many cells are: NaN in rows that are there."""
        parts = (self._rows[part] for part in chunks(self.shape))
        return sum(np.count_nonzero(self._gaps(x, self._values[x])) for x in parts)

    def _gaps(self, rows, raw):
        if raw.dtype.kind != "f":
            return np.zeros((), bool)
        gaps = np.isnan(raw)
        gaps[~self._present[rows]] = False
        return gaps

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        whole = (np.asarray(x) if isinstance(x, ScaledRows) else x for x in inputs)
        return getattr(ufunc, method)(*whole, **kwargs)
