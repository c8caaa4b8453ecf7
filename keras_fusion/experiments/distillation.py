"""One network that answers as an ensemble does.

Reference: Hinton, Vinyals and Dean, 2015, Distilling the Knowledge in a Neural Network.
"""

import dataclasses
from pathlib import Path

import numpy as np

from keras_fusion.common.files import write_json
from keras_fusion.common.names import MASK
from keras_fusion.datasets import Preprocessor, Split
from keras_fusion.experiments import comparison, evaluation, prediction, training
from keras_fusion.experiments.recipes import Recipe, load_data
from keras_fusion.experiments.saving import save_deployable
from keras_fusion.experiments.tasks import task_of

DISTILLED, RECORD = "distilled", "distilled.json"


def distill(
    recipe: Recipe,
    seed: int,
    ensemble: Path,
    preprocessor: Preprocessor | None = None,
    **options,
) -> dict:
    """Trains the recipe's model on the labels and on what an ensemble answers.

    Nothing is chosen by the test rows; they say what the smaller model loses, since
    the ensemble has seen all others.

    Args:
        recipe: From `recipes.read`.
        seed: Of the split and of the model.
        ensemble: A model of the same data that takes raw features; the new one goes to
            `distilled` beside it.
        preprocessor: Of a table: what the ensemble's rows are prepared by.
        **options: For `training.fit`.

    Returns:
        The record in `distilled.json`: `metric`, `parameters` and `test`, the scores of
        the `ensemble` and of the `distilled` model.
    """
    folder = ensemble.parent / DISTILLED
    raw = load_data(
        dataclasses.replace(recipe, scale="none"), seed, preprocessor=preprocessor
    )
    data = load_data(recipe, seed, preprocessor=preprocessor)
    teacher = _answers(ensemble, raw.train)
    fitted = training.fit(recipe, data, seed, folder, teacher=teacher, **options)
    save_deployable(recipe, data, folder)
    task, labels = task_of(data), data.test.labels
    model = comparison.trained(recipe, data, folder)
    scores = {
        "ensemble": task.score(labels, _answers(ensemble, raw.test)),
        "distilled": task.score(labels, evaluation.full_outputs(model, data.test)),
    }
    record = {"metric": task.metric, "parameters": fitted.parameters, "test": scores}
    write_json(folder / RECORD, record)
    return record


def _answers(path: Path, split: Split) -> np.ndarray:
    """The first of the model's outputs for raw rows."""
    inputs = {name: np.asarray(x) for name, x in split.inputs.items()}
    outputs = prediction.predict(path, inputs | {MASK: split.modality_mask})
    return np.asarray(next(iter(outputs.values())))
