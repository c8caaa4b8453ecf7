"""Regressions whose predictions of rows left out are most likely."""

from collections.abc import Callable

import numpy as np
from scipy import optimize, sparse, special

STRENGTHS = np.logspace(1, -5, 7)  # of the penalty, against a feature's mean square
FOLDS = 5
_STEPS = 100


def logistic(features: np.ndarray, targets: np.ndarray, several: bool = False):
    """The logistic regression with the best of `STRENGTHS`, by five folds of the rows.

    It is multinomial: the penalty is half of the sum of squares of the kernel.

    Args:
        features: `(N, D)` float64, an array or a sparse one of scipy's.
        targets: `(N, K)`, shares of the classes that sum to 1, such as one-hot, or to
            what the row counts.
        several: Whether they are labels of which each is 0 or 1, with a logistic
            regression of its own.

    Returns:
        `(kernel, intercept)`, `(D, K)` and `(K,)`.

    Reference: Böhning, 1992, Multinomial Logistic Regression Algorithm, whose bound on
    the curvature the steps are scaled by.
    """
    share = np.maximum(targets.mean(axis=0), 0.5 / len(targets))
    log_likelihood = likely_labels if several else likely_classes
    return most_likely(features, targets, log_likelihood, np.log(share))


def most_likely(features, targets, log_likelihood: Callable, intercept: np.ndarray):
    """The same under any likelihood.

    Args:
        features, targets: As `logistic` takes them.
        log_likelihood: As `likely_classes`; its curvature is 1 or less.
        intercept: `(K,)`, where the search begins.
    """
    fold = _folds(targets)
    held = [fold == k for k in np.unique(fold)]
    start = log_likelihood, intercept
    paths = [_path(features[~out], targets[~out], *start) for out in held]
    best, count = np.inf, 0
    for found in zip(*paths):  # a weaker penalty takes longer, so stop behind the best
        loss = 0.0
        for out, (kernel, intercept) in zip(held, found):
            logits = features[out] @ kernel + intercept
            loss -= log_likelihood(logits, targets[out])[0]
        if loss >= best:
            break
        best, count = loss, count + 1
    *_, chosen = _path(features, targets, *start, count)
    return chosen


def _folds(targets):
    """The fold of each row, which deals every class to all of them."""
    fold = np.empty(len(targets), int)
    order = np.argsort(targets.argmax(axis=1), kind="stable")
    fold[order] = np.arange(len(targets)) % FOLDS
    return fold


def _path(features, targets, log_likelihood, intercept, count: int | None = None):
    """The regressions by strength, each from where the stronger one before ended."""
    rows, turn, center = _turned(features)
    squares = _squares(rows)  # (R,)
    unit = max(squares.sum() / features.shape[1], np.finfo(float).tiny)
    weights = np.zeros((rows.shape[1], targets.shape[1]))  # (R, K)
    for strength in STRENGTHS[:count]:
        penalty = strength * unit
        scale = 1 / np.sqrt(squares / 4 + penalty)[:, None]  # (R, 1)
        start = np.concatenate([weights / scale, intercept[None]])
        found = _minimized(rows, scale, targets, log_likelihood, penalty, start)
        weights, intercept = found[:-1] * scale, found[-1]
        kernel = weights if turn is None else turn @ weights
        yield kernel, intercept - center @ kernel


def _turned(features):
    """Rows `(N, R)` whose features do not correlate, `(D, R)` that turns them so, and
    their center. Sparse rows stay as they are, and turned would be dense."""
    if sparse.issparse(features):
        return features, None, np.zeros(features.shape[1])
    center = features.mean(axis=0)
    rows = features - center
    if len(rows) < features.shape[1]:
        turn = np.linalg.svd(rows, full_matrices=False)[2].T
    else:
        turn = np.linalg.eigh(rows.T @ rows)[1]
    return rows @ turn, turn, center


def _squares(rows):
    """The sum of squares of each feature."""
    if sparse.issparse(rows):
        return rows.power(2).sum(axis=0)
    return np.square(rows).sum(axis=0)


def _minimized(rows, scale, targets, log_likelihood, penalty, start):
    """The weights of the features, over their scale, and under them the intercept."""

    def objective(flat):
        own = flat.reshape(start.shape)
        weights = own[:-1] * scale
        likely, slope = log_likelihood(rows @ weights + own[-1], targets)
        inner = scale * (rows.T @ slope - penalty * weights)
        loss = penalty * np.square(weights).sum() / 2 - likely
        rest = np.concatenate([inner, slope.sum(axis=0)[None]])
        return loss / len(targets), -rest.ravel() / len(targets)

    return optimize.minimize(
        objective,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _STEPS, "gtol": 1e-4},
    ).x.reshape(start.shape)


def likely_classes(logits, targets):
    """The log-likelihood of classes under logits `(N, K)`, and its slope `(N, K)`."""
    logs = logits - special.logsumexp(logits, axis=1, keepdims=True)
    counts = targets.sum(axis=1, keepdims=True)
    return (targets * logs).sum(), targets - counts * np.exp(logs)


def likely_labels(logits, targets):
    """The same of several labels at once."""
    likely = targets * logits - np.logaddexp(0, logits)
    return likely.sum(), targets - special.expit(logits)


def likely_numbers(found, targets):
    """The same of numbers around what was found, with a deviation of 1."""
    ahead = targets - found
    return -np.square(ahead).sum() / 2, ahead
