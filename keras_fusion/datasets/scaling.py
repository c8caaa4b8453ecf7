"""What is learned from the training rows to scale a modality, and how it is applied."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

SCALES = ("feature", "modality", "quantile", "none")
SEGMENTS = 32  # of the curve that "quantile" draws through each feature
_CHUNK = 2**18  # numbers in float64 at once: 2 MB, whatever the size of the data
_SAMPLE = 2**22  # numbers that the quantiles are taken from, at most


@dataclass(frozen=True, eq=False)
class Scale:
    """How one modality is scaled: `z = (x - mean) / std`, then perhaps by quantiles.

    It unpacks as `mean, std = scale`.

    Attributes:
        mean: float64 in the shape of one row.
        std: Likewise, never 0.
        kind: One of `SCALES`.
        fill: What stands in for a single NaN cell of a row that is there, in the unit
            of the result and in the shape of one row: 0, and where nothing is scaled
            the training mean.
        knots: `(33, ...)`, for `"quantile"`: `z` at equal shares of the training rows.
        scores: `(33, ...)`, what becomes of them: `z` turns into `scores[0] + sum over
            k of (scores[k + 1] - scores[k]) clip((z - knots[k]) / (knots[k + 1] -
            knots[k]), 0, 1)`, where a segment without width adds nothing.
    """

    mean: np.ndarray
    std: np.ndarray
    kind: str
    fill: np.ndarray
    knots: np.ndarray | None = None
    scores: np.ndarray | None = None

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter((self.mean, self.std))

    def keeps(self, dtype: np.dtype) -> bool:
        """Whether arrays of this dtype stay as they are: whole numbers, not scaled."""
        return self.kind == "none" and np.dtype(dtype).kind not in "fc"

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """`(B, ...)` raw values as a model takes them, NaN where they are NaN.

        It computes in float64 from the values' own dtype and rounds once.
        """
        if self.keeps(values.dtype):
            return values
        if self.kind == "none":
            return values.astype(np.float32)
        out = np.empty(values.shape, np.float32)
        for rows in chunks(values.shape):
            with np.errstate(invalid="ignore"):  # as in `prepare`
                z = (values[rows].astype(np.float64) - self.mean) / self.std
            out[rows] = z if self.knots is None else self._by_quantiles(z)
        return out

    def _by_quantiles(self, z):
        total = self.scores[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            for k in range(SEGMENTS):
                width = self.knots[k + 1] - self.knots[k]
                rise = np.where(width > 0, self.scores[k + 1] - self.scores[k], 0.0)
                share = (z - self.knots[k]) / np.where(width > 0, width, 1.0)
                total = total + rise * np.clip(share, 0.0, 1.0)
        return total


def chunks(shape: tuple[int, ...]) -> Iterator[slice]:
    """Slices of the first axis that hold some 2^18 numbers each."""
    size = max(1, _CHUNK // max(1, int(np.prod(shape[1:]))))
    for start in range(0, shape[0], size):
        yield slice(start, start + size)


def fit(values: np.ndarray, rows: np.ndarray, kind: str) -> Scale:
    """The scale of a modality by its training rows.

    Args:
        values: `(N, ...)` numbers of any dtype, NaN where one is missing. On maps and
            volumes a feature is a channel, whatever its position.
        rows: Those that train.
        kind: `"feature"` gives each feature a mean of 0 and a deviation of 1;
            `"modality"` a mean of 0 to each, and one deviation to all; `"quantile"`
            makes each feature normal by its rank, whatever its tails; `"none"` leaves
            the values as they are. A constant feature has a deviation of 1.
    """
    shape = values.shape[1:]
    zeros, ones = np.zeros(shape), np.ones(shape)
    if kind == "none" and values.dtype.kind != "f":
        return Scale(zeros, ones, kind, fill=zeros)
    mean, std = _moments(values, rows, kind)
    mean, std = (np.broadcast_to(x, shape).copy() for x in (mean, std))
    if kind == "none":
        return Scale(zeros, ones, kind, fill=mean)
    if kind == "quantile":
        return Scale(mean, std, kind, zeros, *_curve(values, rows, mean, std))
    return Scale(mean, std, kind, fill=zeros)


def _moments(values, rows, kind):
    """Mean and deviation of each feature, in two passes of float64."""
    axes = _axes(values)
    count, total, low, high = 0, 0.0, np.inf, -np.inf
    for x in _float64(values, rows):
        count = count + np.sum(~np.isnan(x), axis=axes)
        total = total + np.nansum(x, axis=axes)
        low = np.fmin(low, np.fmin.reduce(x, axis=axes))
        high = np.fmax(high, np.fmax.reduce(x, axis=axes))
    mean = np.divide(total, count, where=count > 0, out=np.zeros(np.shape(count)))
    squares = 0.0
    for x in _float64(values, rows):
        squares = squares + np.nansum(np.square(x - mean), axis=axes)
    variance = squares / np.maximum(count, 1)
    # A sum of equal numbers is rounded, so that their deviation is not quite 0.
    # The square of a very small one is 0.
    varies = (high > low) & (variance > 0)
    if kind == "modality":
        variance = np.mean(np.where(varies, variance, 0.0), keepdims=True)
        varies = variance > 0
    return mean, np.where(varies, np.sqrt(variance), 1.0)


def _curve(values, rows, mean, std):
    """Knots and normal scores; equal knots share the mean of their scores."""
    most = max(1, _SAMPLE // max(1, int(np.prod(values.shape[1:]))))
    some = rows[:: max(1, -(-len(rows) // most))]
    raw, axes = values[some], _axes(values)
    shares = (np.arange(SEGMENTS + 1) + 0.5) / (SEGMENTS + 1)
    parts = []
    for part in chunks(np.moveaxis(raw, -1, 0).shape):
        part = ..., part  # of the features
        z = (raw[part].astype(np.float64) - mean[part]) / std[part]
        parts.append(np.nanquantile(z, shares, axis=axes, overwrite_input=True))
    flat = np.concatenate(parts, axis=-1)
    normal = np.array([NormalDist().inv_cdf(share) for share in shares])
    columns = flat.reshape(SEGMENTS + 1, -1)
    scores = np.empty_like(columns)
    for i, knots in enumerate(columns.T):
        _, place, times = np.unique(knots, return_inverse=True, return_counts=True)
        scores[:, i] = (np.bincount(place, normal) / times)[place]
    full = (SEGMENTS + 1, *values.shape[1:])
    between = (1,) * (len(full) - flat.ndim)
    shape = (SEGMENTS + 1, *between, *flat.shape[1:])
    return tuple(np.broadcast_to(x.reshape(shape), full) for x in (flat, scores))


def _axes(values):
    return (0,) if values.ndim < 4 else tuple(range(values.ndim - 1))


def _float64(values, rows):
    for part in chunks((len(rows), *values.shape[1:])):
        yield values[rows[part]].astype(np.float64)
