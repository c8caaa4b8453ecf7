"""What a linear model reads out of features: a ridge regression, solved exactly."""

import numpy as np

STRENGTHS = np.logspace(-4, 1, 6)  # of the penalty, against a feature's mean square
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
    center, mean = features.mean(axis=0), targets.mean(axis=0)
    x, y, new = features - center, targets - mean, unseen - center
    if x.shape[1] > len(x):  # the smaller one of two equal forms
        gram = x @ x.T
        values, vectors = np.linalg.eigh(gram)
        left, right = new @ (x.T @ vectors), vectors.T @ y  # (B, R), (R, K)
    else:
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
