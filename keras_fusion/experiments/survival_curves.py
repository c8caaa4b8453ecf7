"""How many reach a time without the event, of a model that tells risks."""

import keras
import numpy as np

from keras_fusion.datasets import Dataset
from keras_fusion.datasets.asked import RISK
from keras_fusion.experiments.evaluation import full_outputs
from keras_fusion.survival import baseline_hazard


def settle(model: keras.Model, data: Dataset) -> dict:
    """The baseline hazards of a trained model of risks; for the run's record.

    Args:
        model: Gives the logarithm of the risk.
        data: Its training rows tell them.

    Returns:
        `hazards`, one for each of `data.times`, of the events before that time; nothing
        of another task.
    """
    if data.task != RISK:
        return {}
    times, events = data.train.labels.T
    risks = full_outputs(model, data.train)[:, 0]
    before = np.nextafter(np.asarray(data.times), 0)
    return {"hazards": baseline_hazard(times, events, risks, before).tolist()}


def median_times(survival: np.ndarray, times: np.ndarray) -> np.ndarray:
    """`(B,)`: the time that half of such rows reach, NaN where it is after the last.

    Between two times, and from 0 to the first, a straight line is drawn.

    Args:
        survival: `(B, T)` probabilities, which fall from time to time.
        times: `(T,)`, increasing.
    """
    ones = np.ones((len(survival), 1))
    shares = np.concatenate([ones, survival], axis=1)  # (B, T + 1)
    times = np.concatenate([[0.0], times])
    under = shares <= 0.5
    after = np.maximum(under.argmax(axis=1), 1)
    rows = np.arange(len(shares))
    high, low = shares[rows, after - 1], shares[rows, after]
    with np.errstate(invalid="ignore", divide="ignore"):
        part = (high - 0.5) / (high - low)
    found = times[after - 1] + part * (times[after] - times[after - 1])
    return np.where(under.any(axis=1), found, np.nan)
