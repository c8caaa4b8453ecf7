"""Labels as a model trains on them, and the head that gives the target's own units."""

import dataclasses

import keras
import numpy as np

from keras_fusion.datasets import Dataset, Split
from keras_fusion.datasets.asked import SURVIVAL
from keras_fusion.survival import in_intervals
from keras_fusion.zoo.parts.deployable import heads_of


def standardized(data: Dataset, split: Split) -> Split:
    """The rows of this part with labels as the loss of their task takes them.

    A target has mean 0 and deviation 1 then, and a time is the number of its interval.

    A network begins near 0 and moves by small steps, so it would not reach a target
    of another size. Classes and masks stay as they are.

    Args:
        data: Gives mean and deviation of the training rows, and the intervals.
        split: One of its parts.

    Returns:
        The part with labels `(B, 1)` float32 for regression, and `(B, 2)` for survival.
    """
    if data.task == SURVIVAL:
        labels = in_intervals(*np.asarray(split.labels).T, data.times)
        return dataclasses.replace(split, labels=labels)
    if data.target is None:
        return split
    mean, std = data.target
    labels = (np.asarray(split.labels, np.float64) - mean) / std
    return dataclasses.replace(split, labels=labels.astype(np.float32)[:, None])


def taught(
    data: Dataset, train: Split, validation: Split, teacher: np.ndarray
) -> tuple[Split, Split]:
    """Training rows whose labels are the mean of their own and a teacher's.

    Of a class that is one-hot, so that the cross-entropy is the mean of those with the
    label and with the teacher's probabilities (Hinton, Vinyals and Dean, 2015, with a
    temperature of 1). Validation rows keep their own labels, one-hot as well.

    Args:
        data: Says what the labels are.
        train, validation: From `standardized`.
        teacher: Its outputs for the training rows, `(B, K)`, in the target's own units.
    """
    teacher = np.asarray(teacher, np.float32)
    parts = train, validation
    if data.target is not None:
        teacher = (teacher - data.target[0]) / data.target[1]
    elif train.labels.ndim == 1:
        classes = np.eye(data.classes, dtype=np.float32)
        parts = [dataclasses.replace(x, labels=classes[x.labels]) for x in parts]
    train, validation = parts
    labels = (train.labels + teacher).astype(np.float32) / 2
    return dataclasses.replace(train, labels=labels), validation


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
