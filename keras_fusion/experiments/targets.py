"""Labels as a model trains on them, and the head that gives the target's own units."""

import dataclasses

import keras
import numpy as np

from keras_fusion.datasets import Dataset, Split
from keras_fusion.zoo.parts.deployable import heads_of


def standardized(data: Dataset, split: Split) -> Split:
    """The rows of this part with the target at mean 0 and deviation 1.

    A network begins near 0 and moves by small steps, so it would not reach a target
    of another size. Classes and masks stay as they are.

    Args:
        data: Gives mean and deviation of the training rows.
        split: One of its parts.

    Returns:
        The part with labels `(B, 1)` float32 for regression.
    """
    if data.target is None:
        return split
    mean, std = data.target
    labels = (np.asarray(split.labels, np.float64) - mean) / std
    return dataclasses.replace(split, labels=labels.astype(np.float32)[:, None])


def restore(model: keras.Model, data: Dataset) -> None:
    """Folds mean and deviation into the head of a model that `standardized` trained.

    From then on it gives the target's own units, in files and exports too.
    """
    if data.target is None:
        return
    mean, std = data.target
    for head in heads_of(model):
        head.kernel.assign(head.kernel * std)
        head.bias.assign(head.bias * std + mean)
