"""Sets of classes that hold the true one as often as was asked for."""

import math

import numpy as np

from keras_fusion.common.errors import InputError


def conformal_threshold(labels, probabilities, coverage: float = 0.9) -> float:
    """The least probability at which a class belongs to a row's set of classes.

    On new rows that are exchangeable with these n rows, `prediction_sets` holds the
    true class with a probability from `coverage` to `coverage + 1 / (n + 1)` (ties
    apart), whatever the model is. The rows must not have trained the model.

    Args:
        labels: `(n,)` class numbers.
        probabilities: `(n, K)`.
        coverage: Share of rows whose set has to hold the true class, in (0, 1).

    Returns:
        The `ceil((n + 1) coverage)`-th largest probability of a true class; 0, so that
        all classes belong, where n is too small for this coverage.

    Raises:
        ValueError: If shapes or the coverage do not fit.

    Reference: Vovk, Gammerman and Shafer, 2005, Algorithmic Learning in a Random World
    (split conformal). Sadinle, Lei and Wasserman, 2019, Least Ambiguous Set-Valued
    Classifiers with Bounded Error Levels (the score).
    """
    labels, probabilities = check_rows(labels, probabilities, coverage)
    count, rank = len(labels), rank_of(len(labels), coverage)
    if rank > count:
        return 0.0
    own = probabilities[np.arange(count), labels]
    return float(np.sort(own)[count - rank])


def check_rows(labels, probabilities, coverage):
    """Both as arrays; raises a ValueError unless they and the coverage fit."""
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    if labels.ndim != 1 or probabilities.shape[:1] != labels.shape:
        raise InputError(
            "Expected labels (n,) and probabilities (n, K); received shapes "
            f"{labels.shape} and {probabilities.shape}."
        )
    if not 0 < coverage < 1:
        raise InputError(f"coverage must lie between 0 and 1; received {coverage!r}.")
    return labels, probabilities


def rank_of(count: int, coverage: float) -> int:
    """Which of the ordered scores of so many rows is the threshold, from 1."""
    return math.ceil((count + 1) * coverage)


def prediction_sets(probabilities, threshold: float) -> np.ndarray:
    """`(B, K)` bool: the classes in each row's set, of `(B, K)` probabilities.

    A set may be empty where no class is as probable as `threshold`.
    """
    return np.asarray(probabilities) >= threshold
