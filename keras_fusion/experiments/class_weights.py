"""What a row of each class counts in training."""

import numpy as np

from keras_fusion.common.errors import InputError
from keras_fusion.common.names import IGNORED
from keras_fusion.datasets import Dataset


def class_weights(data: Dataset, given: str | dict | None) -> np.ndarray | None:
    """The weight of each class, `(K,)` float32; None where all rows count the same.

    Args:
        data: Its training rows say how frequent the classes are.
        given: `"balanced"`, with which every class counts the same in sum, or a table
            of numbers by class name, 1 where it names none.

    Raises:
        ValueError: If the data have no classes, or none of such a name.
    """
    if given is None:
        return None
    names = data.class_names
    if data.task == "multilabel":
        raise InputError(
            f"class_weight needs one class a row; {data.name} has several labels."
        )
    if len(names) < 2:
        raise InputError(
            f"class_weight needs two classes or more; {data.name} has "
            f"{names[0] if names else 'numbers'} to predict."
        )
    if given == "balanced":
        labels = data.train.labels
        if labels.ndim == 3:
            labels = labels[labels != IGNORED]
        counts = np.bincount(labels, minlength=len(names))
        weights = counts.sum() / (len(names) * np.maximum(counts, 1))
        return _for_masks(weights, data)
    if unknown := [name for name in given if name not in names]:
        raise InputError(
            f"class_weight names {unknown}; {data.name} has {list(names)}."
        )
    return _for_masks([given.get(name, 1.0) for name in names], data)


def _for_masks(weights, data):
    """As float32; those of masks reach `IGNORED`, which the loss leaves out."""
    size = IGNORED + 1 if data.train.labels.ndim == 3 else len(weights)
    return np.pad(weights, (0, max(0, size - len(weights)))).astype(np.float32)
