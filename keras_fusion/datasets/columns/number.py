"""Numbers -> their standardized values, and a flag where one is missing.

`scale="quantiles"` takes a number's rank among the training rows in place of its size,
as a normal quantile: for tails so long that a few rows would hide all others.
"""

from statistics import NormalDist

import numpy as np

from keras_fusion.datasets.columns.values import as_numbers, missing

RAW = "float64"
SCALES = ("standard", "quantiles")
_BINS = 16
_POINTS = 200
_ENOUGH = 0.95


def infer(values) -> bool:
    """Whether nearly all values that are given are numbers."""
    there = ~missing(values)
    numbers = np.isfinite(as_numbers(values)[there])
    return len(numbers) > 0 and numbers.mean() >= _ENOUGH


def fit(values, *, scale: str = "standard") -> dict:
    """Mean, deviation, limits and quantiles of the training rows.

    Args:
        values: `(N,)`, what `as_numbers` takes.
        scale: `"standard"` or `"quantiles"`.

    Raises:
        ValueError: If there is no number, or no such scale.
    """
    if scale not in SCALES:
        raise ValueError(f"expected scale to be one of {SCALES}; received {scale!r}")
    numbers = as_numbers(values)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        raise ValueError("expected at least one number in the training rows")
    low, high = float(numbers.min()), float(numbers.max())
    state = {
        "mean": float(numbers.mean()),
        # The numbers of a constant column may add up to a deviation by rounding alone.
        "std": float(numbers.std()) if low < high else 1.0,
        # A value outside of twice the range of the training rows is moved to its edge.
        "low": low - (high - low) / 2,
        "high": high + (high - low) / 2,
    }
    if scale == "quantiles":
        state |= _ranks(numbers)
    edges = np.quantile(_scaled(numbers, state), np.linspace(0, 1, _BINS + 1))
    return state | {"edges": np.unique(edges).tolist()}


def encode(values, state: dict) -> tuple[np.ndarray, np.ndarray]:
    """`(N, 2)` float32, the scaled number and 1 where it is missing, and `(N,)` bool.

    A missing number stands at the mean of the training rows.
    """
    numbers = as_numbers(values)
    present = np.isfinite(numbers)
    scaled = np.where(present, _scaled(np.where(present, numbers, 0), state), 0)
    return np.stack([scaled, ~present], axis=1).astype(np.float32), present


def graph(state: dict):
    """`encode` of a float64 tensor `(N,)`, in TensorFlow."""
    import tensorflow as tf

    largest = float(np.finfo(np.float32).max)

    def run(numbers):
        present = tf.abs(numbers) <= largest
        numbers = tf.where(present, numbers, tf.zeros_like(numbers))
        if "points" in state:
            scaled = _interpolated(tf, numbers, state["points"], state["scores"])
        else:
            clipped = tf.clip_by_value(numbers, state["low"], state["high"])
            scaled = (clipped - state["mean"]) / state["std"]
        scaled = tf.where(present, scaled, tf.zeros_like(scaled))
        flag = tf.cast(tf.logical_not(present), scaled.dtype)
        return tf.cast(tf.stack([scaled, flag], axis=1), "float32"), present

    return run


def width(state: dict) -> int:
    """The features of one value."""
    return 2


def embedding(state: dict) -> dict:
    """The column as `ColumnEmbedding` takes it."""
    return {"edges": state["edges"]}


def words(state: dict) -> str:
    """What there is to say of the column."""
    return "by quantiles" if "points" in state else ""


def _scaled(numbers, state):
    if "points" in state:
        return np.interp(numbers, state["points"], state["scores"])
    return (np.clip(numbers, state["low"], state["high"]) - state["mean"]) / state[
        "std"
    ]


def _ranks(numbers):
    """Points of the distribution, and the normal quantile of each one's middle rank."""
    ordered = np.sort(numbers)
    points = np.unique(np.quantile(ordered, np.linspace(0, 1, _POINTS + 1)))
    left = np.searchsorted(ordered, points, "left")
    right = np.searchsorted(ordered, points, "right")
    middle = (left + right + 1) / (2 * (len(ordered) + 1))
    scores = [NormalDist().inv_cdf(p) for p in middle]
    return {"points": points.tolist(), "scores": scores}


def _interpolated(tf, x, points, scores):
    if len(points) == 1:
        return tf.fill(tf.shape(x), tf.constant(scores[0], x.dtype))
    points, scores = tf.constant(points, x.dtype), tf.constant(scores, x.dtype)
    x = tf.clip_by_value(x, points[0], points[-1])
    i = tf.searchsorted(points, x, side="right") - 1
    i = tf.clip_by_value(i, 0, tf.size(points) - 2)
    left, right = tf.gather(points, i), tf.gather(points, i + 1)
    low, high = tf.gather(scores, i), tf.gather(scores, i + 1)
    return low + (x - left) * (high - low) / (right - left)
