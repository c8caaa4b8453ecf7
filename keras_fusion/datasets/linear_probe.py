"""What a linear model reads out of features: a ridge regression, solved exactly."""

import numpy as np

STRENGTHS = np.logspace(-4, 1, 6)  # of the penalty, against a feature's mean square
_BLOCK = 256  # features
_TINY = np.finfo(np.float64).tiny


def explained(
    features: np.ndarray, targets: np.ndarray, unseen: np.ndarray, wanted: np.ndarray
) -> float:
    """The share of the variance of unseen targets that a ridge regression explains.

    It is that of the best of `STRENGTHS`, and 0 where none helps.

    Args:
        features: `(N, D)` finite numbers to learn from.
        targets: `(N, K)`, such as classes as zeros and ones.
        unseen: `(B, D)` features of the rows to judge on.
        wanted: Their targets, `(B, K)`.
    """
    center, mean = features.mean(axis=0, dtype=np.float64), targets.mean(axis=0)
    y = targets - mean
    if features.shape[1] > len(features):  # the smaller one of two equal forms
        gram, across = _products(features, unseen, center)
        values, vectors = np.linalg.eigh(gram)
        left, right = across @ vectors, vectors.T @ y  # (B, N), (N, K)
    else:
        x, new = features - center, unseen - center
        gram = x.T @ x
        values, vectors = np.linalg.eigh(gram)
        left, right = new @ vectors, vectors.T @ (x.T @ y)
    values, unit = np.maximum(values, 0.0), max(np.mean(np.diag(gram)), _TINY)
    errors = []
    for strength in STRENGTHS:
        found = left @ (right / (values + strength * unit)[:, None])  # (B, K)
        errors.append(np.square(found + mean - wanted).sum())
    total = np.square(wanted - mean).sum()
    return max(0.0, 1.0 - float(min(errors) / max(total, _TINY)))


def _products(features, unseen, center):
    """Products of all rows with those to learn from, centered: (N, N) and (B, N).

    A block of the features at a time: in float64 all of them would take much memory.
    """
    gram, across = 0.0, 0.0
    for start in range(0, features.shape[1], _BLOCK):
        part = slice(start, start + _BLOCK)
        x, new = (rows[:, part] - center[part] for rows in (features, unseen))
        gram, across = gram + x @ x.T, across + new @ x.T
    return gram, across
