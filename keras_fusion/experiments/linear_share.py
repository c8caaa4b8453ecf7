"""The linear model that a trained model is blended with."""

import keras
import numpy as np

from keras_fusion import zoo
from keras_fusion.datasets import Dataset, Split
from keras_fusion.datasets.columns.read_rows import take
from keras_fusion.experiments.batches import InOrder, model_inputs
from keras_fusion.experiments.class_weights import class_weights
from keras_fusion.experiments.recipes import Recipe
from keras_fusion.zoo.parts.linear_path import parts_of

ROWS, NUMBERS = 20_000, 2**25  # that train the linear model, at most


def settle(
    model: keras.Model,
    recipe: Recipe,
    data: Dataset,
    train: Split,
    validation: Split,
    verbose: int = 0,
) -> dict:
    """Blends a model as `zoo.blend_linear` does; for the run's record.

    Args:
        model: Trained.
        recipe: Where its validation rows train, too, nothing is blended. Where classes
            have weights, the linear model and the blend are fitted with them.
        data: Says what the labels are. A number that is no target is a risk, which no
            ridge regression predicts.
        train, validation: From `targets.standardized`, or taught.
        verbose: Whether to say what is fitted, which takes seconds of many rows.

    Returns:
        `network_share`; nothing where nothing is blended.
    """
    if recipe.split.train_on_validation:
        return {}
    path, _ = parts_of(model)
    numbers = path is not None and path.activation is keras.activations.linear
    if path is None or (numbers and data.target is None):
        return {}
    given = sum(x.shape[-1] for x in keras.tree.flatten(path.input))
    count = len(train.labels)
    most = max(1, min(count, ROWS, NUMBERS // (path.units * given)))
    if verbose:
        print(f"fitting a linear model to {most:,} rows, to blend the network with it")
    rows = np.linspace(0, count - 1, most, dtype=int)
    some = {name: take(x, rows) for name, x in train.inputs.items()}
    train = Split(some, train.labels[rows], train.modality_mask[rows])
    parts = [
        InOrder(model_inputs(model, x.inputs, x.modality_mask))
        for x in (train, validation)
    ]
    weights = class_weights(data, recipe.training.class_weight)
    labels = [_weighted(x.labels, weights) for x in (train, validation)]
    shares = zoo.blend_linear(model, parts[0], labels[0], parts[1], labels[1])
    return {"network_share": shares}


def _weighted(labels, weights):
    """Classes as `(N, K)` shares that sum to what a row counts, if that differs."""
    if weights is None:
        return labels
    shares = np.eye(len(weights))[labels] if labels.ndim == 1 else labels
    return shares * weights[shares.argmax(axis=1)][:, None]
