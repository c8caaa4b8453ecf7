"""The ridge regression that a trained model of numbers is blended with."""

import keras
import numpy as np

from keras_fusion import zoo
from keras_fusion.datasets import Dataset, Split
from keras_fusion.datasets.columns.read_rows import take
from keras_fusion.experiments.batches import InOrder, model_inputs
from keras_fusion.experiments.evaluation import full_outputs
from keras_fusion.experiments.recipe import Recipe
from keras_fusion.experiments.tasks import task_of

ROWS = 5000  # that train the ridge regression, at most


def settle(
    model: keras.Model, recipe: Recipe, data: Dataset, train: Split, validation: Split
) -> dict:
    """Blends a model of numbers as `zoo.blend_ridge` does; for the run's record.

    Args:
        model: Trained.
        recipe: Where its validation rows train, too, nothing is blended.
        data: Says what the labels are.
        train, validation: From `targets.standardized`, or taught.

    Returns:
        `network_share` and `validation`, the score of what came of it; nothing where
        nothing is blended.
    """
    if data.target is None or recipe.split.train_on_validation:
        return {}
    count = len(train.labels)
    rows = np.linspace(0, count - 1, min(count, ROWS), dtype=int)
    some = {name: take(x, rows) for name, x in train.inputs.items()}
    train = Split(some, train.labels[rows], train.modality_mask[rows])
    parts = [
        InOrder(model_inputs(model, x.inputs, x.modality_mask))
        for x in (train, validation)
    ]
    share = zoo.blend_ridge(model, parts[0], train.labels, parts[1], validation.labels)
    if share is None:
        return {}
    outputs = full_outputs(model, validation)
    score = task_of(data).score(validation.labels[:, 0], outputs)
    return {"network_share": share, "validation": score}
