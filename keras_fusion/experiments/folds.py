"""The models of a cross-validation, averaged into one."""

import dataclasses
from pathlib import Path

import numpy as np

from keras_fusion import zoo
from keras_fusion.common.errors import InputError
from keras_fusion.common.files import whole, write_json
from keras_fusion.datasets import Dataset
from keras_fusion.datasets.asked import RISK
from keras_fusion.experiments import (
    comparison,
    evaluation,
    recipes,
    record,
    saving,
    training,
)
from keras_fusion.experiments.recipes import Recipe, Split
from keras_fusion.experiments.tasks import task_of

ENSEMBLE = "ensemble"
PREDICTIONS = "out_of_fold.npz"
RECORD = "folds.json"


def fit(recipe: Recipe, seed: int, count: int, folder: Path, **options) -> dict:
    """Trains a model on each of `count` folds, or goes on with it, and averages them.

    All rows but those that test are dealt to the folds. Every model validates, and
    stops, by one of them, and trains on the others, so that each row trains all models
    but one. What that one predicts for it is out of fold.

    Args:
        recipe: From `recipes.read`. Its rows that validate never train the same model.
        seed: Of the split and of all models.
        count: Of folds, 3 or more.
        folder: Gets `model.keras`, the average that takes raw features, each fold's
            run in `fold-K`, `out_of_fold.npz` with `labels` and `outputs`, and
            `folds.json`.
        **options: For `training.fit`.

    Returns:
        The record in `folds.json`: `metric`, `validation`, the score of all predictions
        that are out of fold, `members`, that of each fold's, and `notes` on the data.
        Risks of two models do not compare, so `validation` is the mean of theirs.

    Raises:
        InputError: If there are fewer than 3 folds, or fewer rows or groups than folds,
            or the recipe's split is another than the usual one.
    """
    if count < 3:
        raise InputError(f"Expected 3 folds or more; received {count}.")
    if recipe.split.by != Split.by:
        raise InputError(
            f"Folds are dealt at random, but {recipe.name} splits by "
            f"{recipe.split.by!r}: leave one of them out."
        )
    split = dataclasses.replace(recipe.split, train_on_validation=False)
    recipe = dataclasses.replace(recipe, split=split)
    parts = parts_of(recipe, seed, count)
    for k, data in enumerate(parts, 1):
        training.fit(recipe, data, seed, folder / f"fold-{k}", **options)
    task = task_of(parts[0])
    members, labels, outputs = [], [], []
    for k, data in enumerate(parts, 1):
        path = folder / f"fold-{k}"
        model = comparison.trained(recipe, data, path)
        labels.append(data.validation.labels)
        outputs.append(evaluation.full_outputs(model, data.validation))
        used = comparison.trained(recipe, data, path, **task.deployed_head)
        hazards = record.read(path).hazards
        about_times = {"task": data.named_task, "hazards": hazards}
        members.append(zoo.deployable(used, data.statistics, **about_times))
    average = zoo.ensemble(members, uncertainty=recipe.training.uncertainty)
    saving.save(average, parts[0], folder)
    scores = [task.score(y, x) for y, x in zip(labels, outputs)]
    found = task.score(np.concatenate(labels), np.concatenate(outputs))
    if parts[0].task == RISK:  # models of risks have no zero in common
        found = float(np.mean(scores))
    done = {
        "name": recipe.name,
        "metric": task.metric,
        "validation": found,
        "members": scores,
        "notes": [*dict.fromkeys(note for data in parts for note in data.notes)],
    }
    with whole(folder / PREDICTIONS) as beside, beside.open("wb") as file:
        arrays = {"labels": np.concatenate(labels), "outputs": np.concatenate(outputs)}
        np.savez(file, **arrays)
    write_json(folder / RECORD, done)
    return done


def parts_of(recipe: Recipe, seed: int, count: int) -> list[Dataset]:
    """The data set with each of the folds as its validation rows.

    The columns of a table are prepared alike in all, as the first one learned it from
    its training rows, and times are cut alike: their models are to be one, which takes
    one kind of row.
    """
    parts = []
    for number in range(1, count + 1):
        split = f"validation:{number}/{count}"
        same = parts[0].preprocessor if parts else None
        data = recipes.load_data(recipe, seed, split, same)
        times = parts[0].times if parts else data.times
        parts.append(dataclasses.replace(data, times=times))
    return parts
