"""How sure a classifier may be: fitted on validation rows, measured on others."""

import keras
import numpy as np

from keras_fusion.calibration import (
    adaptive_sets,
    adaptive_threshold,
    calibrate,
    conformal_threshold,
    prediction_sets,
)
from keras_fusion.common.errors import InputError
from keras_fusion.datasets import Dataset, Split
from keras_fusion.experiments.batches import in_order
from keras_fusion.experiments.evaluation import full_outputs
from keras_fusion.experiments.recipes import Training
from keras_fusion.experiments.record import Record
from keras_fusion.experiments.tasks import task_of

BINS = 10
ALL = 2.0  # more probability than there is, so that all classes are in the set
COVERAGES = tuple(k / 20 for k in range(1, 21))


def settle(model: keras.Model, data: Dataset, settings: Training) -> dict:
    """Calibrates a trained model where the recipe says so; for the run's record.

    Args:
        model: Its heads get the temperature.
        data: Its validation rows decide. They also stopped the training, so that
            coverage on new rows is near to what was asked and not guaranteed.
        settings: `calibrate`, `coverage` and `uncertainty`.

    Returns:
        `temperature`, `set_threshold` and `adaptive_threshold`, as far as asked for.

    Raises:
        ValueError: If something was asked for and the labels are no classes.
    """
    asked = settings.calibrate, settings.coverage, settings.uncertainty
    if not any(asked):
        return {}
    if not has_classes(data):
        raise InputError(
            f"{data.name}: `calibrate`, `coverage` and `uncertainty` are for rows of "
            "one class each."
        )
    found = {}
    if settings.calibrate:
        rows = in_order(model, data.validation)
        inputs = rows[0] if isinstance(rows, tuple) else rows
        found["temperature"] = calibrate(model, inputs, data.validation.labels)
    if settings.coverage is not None:
        outputs = full_outputs(model, data.validation)
        labels = data.validation.labels
        found["set_threshold"] = conformal_threshold(labels, outputs, settings.coverage)
        adaptive = adaptive_threshold(labels, outputs, settings.coverage)
        found["adaptive_threshold"] = min(adaptive, ALL)
    return found


def has_classes(data: Dataset) -> bool:
    """Whether each row has one of several classes."""
    return data.target is None and data.train.labels.ndim == 1 and data.classes > 1


def judged_confidence(
    model: keras.Model, data: Dataset, split: Split, record: Record
) -> dict:
    """What a classifier's confidence is worth on rows that it has not seen.

    Args:
        model: Gives probabilities.
        data: Says whether each row has one class; else there is nothing to judge.
        split: The rows.
        record: Of the model's run.

    Returns:
        `reliability`, `risk` and, where the run has sets of classes, `sets` and
        `adaptive_sets`, which are no part of a prediction: `{"coverage": share that
        holds the true class, "size": mean number of classes}`.
    """
    if not has_classes(data):
        return {}
    probabilities, labels = full_outputs(model, split), split.labels
    named = task_of(data).named(probabilities)
    found = {
        "reliability": reliability(labels, probabilities, named),
        "risk": risks(labels, probabilities, named),
    }
    if record.set_threshold is not None:
        sets = prediction_sets(probabilities, record.set_threshold)
        found["sets"] = _judged(labels, sets)
    if record.adaptive_threshold is not None:
        sets = adaptive_sets(probabilities, record.adaptive_threshold)
        found["adaptive_sets"] = _judged(labels, sets)
    return found


def _judged(labels, sets):
    held, size = sets[np.arange(len(labels)), labels], sets.sum(axis=1)
    return {"coverage": float(held.mean()), "size": float(size.mean())}


def reliability(labels, probabilities, named) -> dict[str, list]:
    """Of `BINS` equal bins of confidence: `rows`, and sums of `confidence` and `right`.

    A model is calibrated where the sums are equal: of the rows that it is 70 % sure of
    it has 70 % right. Its confidence is the probability of the class that is `named`,
    `(B,)` numbers.
    """
    confidence = _confidence(probabilities, named)
    right = named == labels
    which = np.minimum((confidence * BINS).astype(int), BINS - 1)

    def sums(weights):
        return np.bincount(which, weights, minlength=BINS).tolist()

    return {
        "rows": sums(np.ones_like(confidence)),
        "confidence": sums(confidence),
        "right": sums(right),
    }


def risks(labels, probabilities, named) -> list[float]:
    """The share of errors among the rows that the model is surest of.

    For each of `COVERAGES`, the share of rows that are answered at all.
    """
    order = np.argsort(-_confidence(probabilities, named), kind="stable")
    wrong = (named != labels)[order]
    counts = [max(1, round(c * len(wrong))) for c in COVERAGES]
    return [float(wrong[:n].mean()) for n in counts]


def _confidence(probabilities, named):
    """`(B,)` float64: the probability of the class that is named."""
    own = np.take_along_axis(probabilities, named[:, None], axis=-1)
    return own[:, 0].astype(np.float64)
