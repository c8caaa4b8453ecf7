"""Conformal sets that grow with how uncertain a row is."""

import numpy as np

from keras_fusion.calibration.conformal import check_rows, rank_of


def adaptive_threshold(labels, probabilities, coverage: float = 0.9) -> float:
    """How much probability a row's set of classes has to hold.

    A class has the score `sum of the probabilities that are at least its own`: small
    where it is the most probable one. `adaptive_sets` holds the true class of new rows
    with a probability of at least `coverage`, as `conformal_threshold` says it of its
    own sets. Those are the smallest on average; these are wider where rows are
    hard, so that their coverage differs less from easy rows to hard ones.

    Args:
        labels: `(n,)` class numbers.
        probabilities: `(n, K)`.
        coverage: Share of rows whose set has to hold the true class, in (0, 1).

    Returns:
        The `ceil((n + 1) coverage)`-th smallest score of a true class; infinity, so
        that all classes belong, where n is too small for this coverage.

    Raises:
        ValueError: If shapes or the coverage do not fit.

    Reference: Romano, Sesia and Candes, 2020, Classification with Valid and Adaptive
    Coverage (without its randomization).
    """
    labels, probabilities = check_rows(labels, probabilities, coverage)
    count, rank = len(labels), rank_of(len(labels), coverage)
    if rank > count:
        return np.inf
    own = _scores(probabilities)[np.arange(count), labels]
    return float(np.sort(own)[rank - 1])


def adaptive_sets(probabilities, threshold: float) -> np.ndarray:
    """`(B, K)` bool: the classes in each row's set, of `(B, K)` probabilities.

    The most probable class always belongs, so that no set is empty.
    """
    probabilities = np.asarray(probabilities, np.float64)
    largest = probabilities >= probabilities.max(axis=-1, keepdims=True)
    return (_scores(probabilities) <= threshold) | largest


def _scores(probabilities):
    probabilities = np.asarray(probabilities, np.float64)
    order = np.argsort(-probabilities, axis=-1)
    found = np.take_along_axis(probabilities, order, axis=-1)
    sums = np.cumsum(found, axis=-1)
    for k in range(found.shape[-1] - 2, -1, -1):  # equal classes have the same score
        tied = found[..., k] == found[..., k + 1]
        sums[..., k] = np.where(tied, sums[..., k + 1], sums[..., k])
    scores = np.empty_like(sums)
    np.put_along_axis(scores, order, sums, axis=-1)
    return scores
