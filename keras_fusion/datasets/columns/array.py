"""Arrays of numbers, a `.npy` file a row -> arrays of one shape, standardized.

The first axis may differ from row to row, as in series: it is cut, or filled with the
training mean. A missing number stands at the mean of its feature, too.
"""

import io

import numpy as np

from keras_fusion.datasets.columns.contents import content, named_so, spread
from keras_fusion.datasets.npy import BROKEN, declared

RAW = "float32"
FILES = True
_SUFFIXES = (".npy",)


def infer(values) -> bool:
    """Whether nearly all values are names of `.npy` files, or arrays."""
    there = [value for value in values if value is not None]
    if there and all(isinstance(value, np.ndarray | list) for value in there):
        return True
    return named_so(values, _SUFFIXES)


def fit(values, *, length: int | None = None) -> dict:
    """The shape of the arrays, and mean and deviation of each feature.

    Args:
        values: `(N,)` paths, bytes of such a file, or arrays.
        length: Of the first axis; None is enough for 95 of 100 training rows.

    Raises:
        ValueError: If no array can be read, or they differ in more than their first
            axis.
    """
    arrays = [x for x in map(_array, spread(values)) if x is not None]
    if not arrays:
        raise ValueError("expected an array that can be read in the training rows")
    lengths, rests = zip(*((len(x), x.shape[1:]) for x in arrays))
    if len(set(rests)) > 1 or (rests[0] == () and len(set(lengths)) > 1):
        raise ValueError(
            "expected arrays of one shape, but for the first axis of series; received "
            f"{sorted({x.shape for x in arrays})}"
        )
    if length is None or rests[0] == ():
        length = int(np.ceil(np.quantile(lengths, 0.95)))
    # A series has a feature at each place of its last axis, as a vector has.
    rows = np.concatenate([x.reshape(-1, x.shape[-1]) for x in arrays])
    there = np.isfinite(rows)
    counts = np.maximum(there.sum(axis=0), 1)
    mean = np.where(there, rows, 0).sum(axis=0) / counts
    std = np.sqrt((np.where(there, rows - mean, 0) ** 2).sum(axis=0) / counts)
    return {
        "shape": [length, *rests[0]],
        "mean": mean.tolist(),
        "std": np.where(std > 0, std, 1).tolist(),
    }


def encode(values, state: dict) -> tuple[np.ndarray, np.ndarray]:
    """`(N, ...)` float32 and `(N,)` bool, False where there is no number at all."""
    numbers = raw(values, state)
    finite = np.isfinite(numbers)
    scaled = (numbers.astype(np.float64) - state["mean"]) / state["std"]
    present = finite.any(axis=tuple(range(1, numbers.ndim)))
    return np.where(finite, scaled, 0).astype(np.float32), present


def graph(state: dict):
    """`encode` of a float32 tensor `(N, ...)` with NaN for what is missing."""
    import tensorflow as tf

    mean, std = (tf.constant(state[key], tf.float64) for key in ("mean", "std"))

    def run(numbers):
        finite = tf.math.is_finite(numbers)
        present = tf.reduce_any(finite, axis=list(range(1, len(numbers.shape))))
        scaled = (tf.cast(numbers, tf.float64) - mean) / std
        scaled = tf.where(finite, scaled, tf.zeros_like(scaled))
        return tf.cast(scaled, "float32"), present

    return run


def raw(values, state: dict) -> np.ndarray:
    """`(N, ...)` float32 as a graph takes it, NaN where there is nothing."""
    shape = tuple(state["shape"])
    numbers = np.full((len(values), *shape), np.nan, np.float32)
    for row, value in enumerate(values):
        x = _array(value)
        # A vector that is too short is no series: its features have their places.
        if (
            x is not None
            and x.shape[1:] == shape[1:]
            and (shape[1:] or len(x) == shape[0])
        ):
            numbers[row, : len(x)] = x[: shape[0]]
    return numbers


def raw_shape(state: dict) -> tuple[int, ...]:
    """The shape of a row that a graph takes."""
    return tuple(state["shape"])


def words(state: dict) -> str:
    """What there is to say of the column."""
    return " x ".join(map(str, state["shape"])) + " numbers"


def _array(value):
    """At least one axis, float32; None where there is no array."""
    try:
        if not isinstance(value, np.ndarray | list):
            value = _loaded(content(value) or b"")
        array = np.asarray(value)
        if array.dtype.kind == "c" or not array.ndim or not array.size:
            return None
        with np.errstate(over="ignore"):  # what is infinite is missing
            return array.astype(np.float32)
    except BROKEN:
        return None


def _loaded(data):
    """The array of an npy file that has as many numbers as it says."""
    file = io.BytesIO(data)
    dtype, size = declared(file)
    if size > len(data):
        raise ValueError("it is not whole")
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)
