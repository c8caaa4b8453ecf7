"""What each modality contributed, over many rows and row by row."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from keras_fusion.attribution import shapley_values
from keras_fusion.datasets import Split, modality_mask
from keras_fusion.datasets.columns.read_rows import take
from keras_fusion.errors import InputError
from keras_fusion.experiments import prediction
from keras_fusion.experiments.evaluation import full_outputs
from keras_fusion.names import MASK

ROWS = 1000  # at most, since every coalition of modalities is asked for each


def score_contributions(model: keras.Model, split: Split, score: Callable) -> dict:
    """The Shapley value of each modality in a score, and how far it moves outputs.

    Args:
        model: Takes the modalities of `split.inputs` and `modality_mask`.
        split: Of more than `ROWS` rows so many are drawn, always the same.
        score: From labels and outputs, as those in `scores`.

    Returns:
        `{"rows": number, "base": score with nothing there, "score": {modality: value},
        "output": {modality: mean}}`; the mean is that of the absolute Shapley value in
        what the model predicts, which is the most probable class where there are
        several, and there is none for maps.
    """
    part = _some(split)
    inputs = part.inputs | {MASK: part.modality_mask}
    whole = full_outputs(model, part)
    best = whole.argmax(axis=-1) if whole.ndim == 2 else None

    def measure(labels, outputs):
        of_rows = [] if best is None else _predicted(outputs, best)
        return np.append(score(labels, outputs), of_rows)  # (1 + B,)

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

    That is the most probable class or label, or the number of a regression. A modality
    that is absent in a row contributes 0.

    Args:
        path, inputs: As for `prediction.predict`.

    Raises:
        ValueError: As `predict` does, if the model takes no `modality_mask`, or if it
            predicts maps.
    """
    answer = prediction.Predictor(path)
    names = prediction.modalities(path)
    present = inputs.get(MASK)
    if present is None:
        present = modality_mask({name: inputs[name] for name in names})
    whole = answer(inputs)
    (output,) = whole.keys() & prediction.ANSWERS
    if whole[output].ndim > 2:
        raise InputError(
            f"{path} predicts maps; contributions are those to one prediction a row."
        )
    best = whole[output].argmax(axis=-1)
    values = shapley_values(answer, inputs | {MASK: present}, output=output).values
    return np.take_along_axis(values, best[:, None, None], axis=2)[:, :, 0]


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
