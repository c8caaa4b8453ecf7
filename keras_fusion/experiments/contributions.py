"""What each modality contributed, over many rows and row by row."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from keras_fusion.attribution import shapley_values
from keras_fusion.common.errors import InputError
from keras_fusion.common.names import MASK
from keras_fusion.datasets import Split, modality_mask
from keras_fusion.datasets.columns.read_rows import take
from keras_fusion.experiments import prediction
from keras_fusion.experiments.evaluation import full_outputs
from keras_fusion.experiments.tasks import Task

ROWS = 1000  # at most, since every coalition of modalities is asked for each


def score_contributions(model: keras.Model, split: Split, task: Task) -> dict:
    """The Shapley value of each modality in a score, and how far it moves outputs.

    Args:
        model: Takes the modalities of `split.inputs` and `modality_mask`.
        split: Of more than `ROWS` rows so many are drawn, always the same.
        task: Says how rows are scored, and which class is named.

    Returns:
        `{"rows": number, "base": score with nothing there, "score": {modality: value},
        "output": {modality: mean}}`; the mean is that of the absolute Shapley value in
        what the model predicts, which is the probability of the named class where there
        are several, and there is none for maps.
    """
    part = _some(split)
    inputs = part.inputs | {MASK: part.modality_mask}
    whole = full_outputs(model, part)
    best = task.named(whole) if whole.ndim == 2 else None

    def measure(labels, outputs):
        of_rows = [] if best is None else _predicted(outputs, best)
        return np.append(task.score(labels, outputs), of_rows)  # (1 + B,)

    found = shapley_values(model, inputs, labels=part.labels, measure=measure)
    names, values = found.modalities, found.values  # (M, 1 + B)
    result = {
        "rows": len(part.labels),
        "base": float(found.base[0]),
        "score": dict(zip(names, values[:, 0].tolist())),
    }
    if values.shape[1] > 1:
        moved = np.abs(values[:, 1:]).mean(axis=1)
        result["output"] = dict(zip(names, moved.tolist()))
    return result


def row_contributions(path: str | Path, inputs: dict) -> np.ndarray:
    """`(B, M)`: the Shapley value of each modality in what is predicted for each row.

    That is the named class, the most probable label, or the number of a regression. A
    modality that is absent in a row contributes 0.

    Args:
        path, inputs: As for `prediction.predict`.

    Raises:
        ValueError: As `predict` does, if the model takes no `modality_mask`, or if it
            predicts maps.
    """
    names = prediction.modalities(path)
    present = inputs.get(MASK)
    if present is None:
        present = modality_mask({name: inputs[name] for name in names})
    return of_rows(prediction.Predictor(path), inputs | {MASK: present}).values


class RowContributions(NamedTuple):
    """What each of M modalities contributed to the prediction for each row.

    Attributes:
        values: `(B, M)` Shapley values.
        base: `(B,)`, to which they add up to the prediction.
        best: `(B,)`, the number of the class or label that is predicted.
    """

    values: np.ndarray
    base: np.ndarray
    best: np.ndarray


def of_rows(predict: Callable, inputs: dict) -> RowContributions:
    """Contributions to the named class, the most probable label, or a number.

    Args:
        predict: From inputs to outputs by name, as `prediction.Predictor`.
        inputs: `(B, ...)` arrays by modality, and `modality_mask` `(B, M)`.

    Raises:
        ValueError: If maps are predicted.
    """

    def scores(inputs):
        return prediction.answer_of(predict(inputs))

    outputs = predict(inputs)
    if prediction.answer_of(outputs).ndim > 2:
        raise InputError(
            "The model predicts maps; contributions are those to one prediction a row."
        )
    best = prediction.named_numbers(outputs)
    found = shapley_values(scores, inputs)
    values = np.take_along_axis(found.values, best[:, None, None], axis=2)[:, :, 0]
    return RowContributions(values, _predicted(found.base, best), best)


def _predicted(outputs: np.ndarray, best: np.ndarray) -> np.ndarray:
    """`(B,)`: of `(B, K)` outputs the one that a row's `best` `(B,)` says."""
    return np.take_along_axis(outputs, best[:, None], axis=1)[:, 0]


def _some(split):
    if len(split.labels) <= ROWS:
        return split
    draw = np.random.default_rng(0).choice(len(split.labels), ROWS, replace=False)
    rows = np.sort(draw)
    inputs = {name: take(x, rows) for name, x in split.inputs.items()}
    return Split(inputs, split.labels[rows], split.modality_mask[rows])
