"""The ridge regression with the least leave-one-out error."""

import numpy as np
from scipy import sparse

from keras_fusion.zoo.parts.logistic import likely_numbers, most_likely

STRENGTHS = np.logspace(-6, 2, 17)  # of the penalty, against a feature's mean square


def ridge(features: np.ndarray, targets: np.ndarray):
    """The ridge regression with the least leave-one-out error among `STRENGTHS`.

    Args:
        features: `(N, D)` float64, an array or a sparse one of scipy's. Of a sparse one
            five folds of the rows are left out, and not one row at a time.
        targets: `(N, K)` float64.

    Returns:
        `(kernel, intercept)`, `(D, K)` and `(K,)`.
    """
    center, mean = features.mean(axis=0), targets.mean(axis=0)
    if sparse.issparse(features):
        return most_likely(features, targets, likely_numbers, mean)
    left, values, right = np.linalg.svd(features - center, full_matrices=False)
    turned = left.T @ (targets - mean)  # (R, K)
    unit = max(np.square(values).sum() / features.shape[1], np.finfo(float).tiny)
    best = np.inf
    for strength in STRENGTHS:
        shrunk = values / (np.square(values) + strength * unit)  # (R,)
        share = shrunk * values
        used = np.square(left) @ share + 1 / len(left)  # of itself, for each row
        errors = targets - mean - left @ (share[:, None] * turned)
        error = np.square(errors / np.maximum(1 - used, 1e-9)[:, None]).sum()
        if error < best:
            best, kernel = error, right.T @ (shrunk[:, None] * turned)
    return kernel, mean - center @ kernel
