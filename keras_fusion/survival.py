"""Times until an event, some of them censored: losses, intervals and concordance.

A row is a time and whether the event happened then (1), or whether the observation
ended there without it (0).
"""

import keras
import numpy as np
from keras import ops

from keras_fusion.common.errors import InputError
from keras_fusion.ops.presence import precise

BLOCK = 1024  # rows that are compared with all others at a time


@keras.saving.register_keras_serializable("keras_fusion")
class CoxLoss(keras.losses.Loss):
    """Minus the logarithm of Cox' partial likelihood of a batch, mean over its events.

    `sum_i w_i (log sum_(j: t_j >= t_i) w_j exp(s_j) - s_i) / sum_i w_i` over the rows i
    with an event: of all who were at risk then, how probable was it to be this one.
    Events at the same time count as Breslow counts them. A batch should be large, since
    its rows are who is at risk; rows of weight 0 are not.

    Shapes: labels `(B, 2)`, time and event; scores `(B, 1)` of the risk, any number.

    Args:
        name, dtype: As for `keras.losses.Loss`.

    Reference: Cox, 1972, Regression Models and Life-Tables. Katzman et al., 2018,
    DeepSurv.
    """

    def __init__(self, name: str = "cox_loss", dtype: str | None = None):
        super().__init__(name=name, dtype=dtype)

    def __call__(self, y_true, y_pred, sample_weight=None):
        # Weights say who is at risk, which Keras' own sum over the rows cannot know.
        scores = _column(precise(ops.convert_to_tensor(y_pred)), "CoxLoss")
        times, events = _times(y_true, scores.dtype, "CoxLoss")
        weights = ops.ones_like(scores)
        if sample_weight is not None:
            weights = ops.reshape(ops.cast(sample_weight, scores.dtype), (-1,))
        counts = ops.cast(weights > 0, scores.dtype)
        at_risk = counts * ops.cast(times >= times[:, None], scores.dtype)  # (B, B)
        logs = scores + ops.log(ops.where(weights > 0, weights, 1.0))
        largest = ops.stop_gradient(ops.max(logs))
        logs = ops.where(at_risk > 0, logs - largest, -1e9)
        total = ops.logsumexp(logs, axis=1) + largest
        own = events * weights
        lost = ops.where(own > 0, total - scores, 0.0)
        return ops.sum(own * lost) / ops.maximum(ops.sum(own), 1e-12)

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype}


@keras.saving.register_keras_serializable("keras_fusion")
class CensoredCrossentropy(keras.losses.Loss):
    """The cross-entropy of intervals of time, some of which are censored.

    `-log p_k` where the event happened in interval k, and `-log sum_(j >= k) p_j` where
    the observation ended in it, since the event came there or later. (pycox numbers a
    row of the second kind by the last interval that it survived, which is k - 1.)

    Shapes: labels `(B, 2)`, interval and event, as from `in_intervals`; probabilities
    `(B, K)`, as from `keras_fusion.layers.ContinuationRatio` or a softmax.

    Args:
        name, reduction, dtype: As for `keras.losses.Loss`.

    Reference: Kvamme and Borgan, 2021, Continuous and Discrete-Time Survival Prediction
    with Neural Networks.
    """

    def __init__(
        self,
        name: str = "censored_crossentropy",
        reduction: str = "sum_over_batch_size",
        dtype: str | None = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
        probabilities = precise(ops.convert_to_tensor(y_pred))
        interval, events = _times(y_true, probabilities.dtype, "CensoredCrossentropy")
        numbers = ops.arange(probabilities.shape[-1], dtype=probabilities.dtype)
        interval = interval[:, None]
        possible = ops.where(
            events[:, None] > 0, numbers == interval, numbers >= interval
        )
        there = ops.sum(ops.where(possible, probabilities, 0.0), axis=-1)
        return -ops.log(ops.maximum(there, keras.config.epsilon()))


def cut_points(times, events, intervals: int) -> np.ndarray:
    """Times that cut the events into so many intervals of about as many events each.

    Args:
        times, events: `(B,)` arrays of rows that train.
        intervals: At least 2. There are fewer where many events share a time.

    Returns:
        Increasing times, at most `intervals - 1`, for `in_intervals`.

    Raises:
        ValueError: If shapes do not fit, there is no event or fewer than 2 intervals.
    """
    times, events = _checked(times, events)
    if intervals < 2 or not events.any():
        raise InputError(
            "cut_points expects 2 intervals or more, and an event; received "
            f"{intervals} intervals and {int(events.sum())} events."
        )
    shares = np.arange(1, intervals) / intervals
    return np.unique(np.quantile(times[events], shares))


def in_intervals(times, events, cuts) -> np.ndarray:
    """Labels for `CensoredCrossentropy`: interval and event, `(B, 2)` float32.

    Interval 0 is before the first cut, interval k from the k-th cut on.
    """
    times, events = _checked(times, events)
    number = np.searchsorted(cuts, times, side="right")
    return np.stack([number, events], axis=1).astype(np.float32)


def concordance(times, events, risks) -> float:
    """How often of two rows the one with the higher risk has the event first.

    Over the pairs in which it is known who was first: the earlier one had the event, or
    both times are the same and only one had. Equal risks count half.

    Args:
        times, events: `(B,)` arrays.
        risks: `(B,)` or `(B, 1)`, higher for earlier; or `(B, K)`, probabilities of
            intervals, of which the mean interval counts.

    Returns:
        From 0 to 1, one half by chance; NaN where no pair is known.

    Raises:
        ValueError: If shapes do not fit or a risk is not finite.

    Example:

    >>> float(concordance([1, 2, 3], [1, 0, 1], [0.9, 0.1, 0.3]))
    1.0

    Reference: Harrell et al., 1982, Evaluating the Yield of Medical Tests.
    """
    times, events = _checked(times, events)
    risks = np.asarray(risks, np.float64)
    if risks.ndim == 2:
        width = risks.shape[1]
        risks = risks[:, 0] if width == 1 else -(risks @ np.arange(width))
    if risks.shape != times.shape or not np.isfinite(risks).all():
        raise InputError(
            f"concordance expects a finite risk for each of {len(times)} rows; "
            f"received shape {risks.shape}."
        )
    right = known = 0.0
    first = np.flatnonzero(events)
    for start in range(0, len(first), BLOCK):
        own = first[start : start + BLOCK, None]
        later = (times > times[own]) | ((times == times[own]) & ~events)
        higher = (risks[own] > risks) + 0.5 * (risks[own] == risks)
        right += np.sum(later * higher)
        known += np.sum(later)
    return right / known if known else np.nan


def baseline_hazard(times, events, risks, at) -> np.ndarray:
    """The cumulative hazard of a row of risk 0, by Breslow's estimator.

    `H(t) = sum_(i: event, t_i <= t) 1 / sum_(j: t_j >= t_i) exp(s_j)`. A row of risk s
    reaches the time t without an event with the probability `exp(-H(t) exp(s))`.

    Args:
        times, events: `(B,)` arrays of rows that train.
        risks: `(B,)`, the logarithm of the risk that a model with `CoxLoss` gives.
        at: `(T,)` times t.

    Returns:
        `(T,)` float64.

    Raises:
        ValueError: If shapes do not fit or a risk is not finite.

    Example:

    >>> baseline_hazard([1, 2, 3], [1, 0, 1], [0, 0, 0], at=[0, 1, 5]).round(3).tolist()
    [0.0, 0.333, 1.333]

    Reference: Breslow, 1972, discussion of Cox' Regression Models and Life-Tables.
    """
    times, events = _checked(times, events)
    risks = np.asarray(risks, np.float64)
    if risks.shape != times.shape or not np.isfinite(risks).all():
        raise InputError(
            f"baseline_hazard expects a finite risk for each of {len(times)} rows; "
            f"received shape {risks.shape}."
        )
    order = np.argsort(times, kind="stable")
    times, events = times[order], events[order]
    at_risk = np.cumsum(np.exp(risks[order])[::-1])[::-1]
    first = np.searchsorted(times, times)  # of those at the same time
    steps = np.cumsum(events / at_risk[first])
    count = np.searchsorted(times, at, side="right")
    return np.concatenate([[0.0], steps])[count]


def _checked(times, events):
    times, events = np.asarray(times, np.float64), np.asarray(events)
    fits = times.ndim == 1 and events.shape == times.shape
    if not fits or not np.isfinite(times).all() or not np.isin(events, (0, 1)).all():
        raise InputError(
            "Expected a finite time and an event, 0 or 1, for each row; received "
            f"shapes {times.shape} and {events.shape}."
        )
    return times, events.astype(bool)


def _times(y_true, dtype, name):
    labels = ops.cast(y_true, dtype)
    if len(labels.shape) != 2 or labels.shape[-1] != 2:
        raise ValueError(
            f"{name} expects labels (B, 2), time and event; received shape "
            f"{tuple(labels.shape)}."
        )
    return labels[:, 0], labels[:, 1]


def _column(scores, name):
    if len(scores.shape) != 2 or scores.shape[-1] != 1:
        raise ValueError(
            f"{name} expects scores (B, 1); received shape {tuple(scores.shape)}."
        )
    return scores[:, 0]
