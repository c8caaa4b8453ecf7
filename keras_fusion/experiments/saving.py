"""The model that takes raw features, saved beside the weights of its run."""

from pathlib import Path

import keras
import numpy as np

from keras_fusion import zoo
from keras_fusion.common.files import whole, write_json
from keras_fusion.datasets import Dataset
from keras_fusion.experiments import (
    comparison,
    kept_rows,
    prediction,
    record,
    table_columns,
)
from keras_fusion.experiments.recipes import Recipe
from keras_fusion.experiments.tasks import task_of


def save_deployable(recipe: Recipe, data: Dataset, folder: Path) -> Path:
    """Saves the model of a run as `model.keras`, with what goes with it.

    That is the names of classes and columns, and a few raw rows with the answers of
    the trained model, which an export compares with.
    """
    model = comparison.trained(recipe, data, folder, **task_of(data).deployed_head)
    deployed = deployable(model, recipe, data, folder)
    return save(deployed, data, folder, **kept_rows.answered(model, data))


def deployable(
    model: keras.Model, recipe: Recipe, data: Dataset, folder: Path
) -> keras.Model:
    """The model of the run in `folder` as `zoo.deployable` makes it of raw features."""
    run = record.read(folder)
    return zoo.deployable(
        model,
        data.statistics,
        run.set_threshold,
        recipe.training.uncertainty,
        task=data.named_task,
        hazards=run.hazards,
    )


def save(deployed: keras.Model, data: Dataset, folder: Path, **answers) -> Path:
    """Saves what takes raw features as `model.keras`, with what goes with it.

    Args:
        deployed: The model.
        data: Gives names of classes and columns, and raw rows.
        folder: Where it goes.
        **answers: What the model should answer to these rows, if somebody else knows.
    """
    path = folder / "model.keras"
    with whole(path) as beside:
        deployed.save(beside)
    write_json(folder / prediction.CLASSES, list(data.output_names) or None)
    write_json(folder / prediction.INPUTS, data.schema.to_json())
    with whole(folder / kept_rows.SAMPLES) as beside:
        rows = {f"inputs/{name}": x for name, x in data.samples.items()}
        np.savez(beside, **rows, **answers)
    table_columns.save(folder, data)
    return path
