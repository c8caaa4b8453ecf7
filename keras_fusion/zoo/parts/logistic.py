"""The logistic regression whose predictions of rows left out are most likely."""

from collections.abc import Callable

import numpy as np
from scipy import optimize, special

STRENGTHS = np.logspace(1, -5, 7)  # of the penalty, against a feature's mean square
FOLDS = 5
_STEPS = 100


def logistic(features: np.ndarray, targets: np.ndarray, several: bool = False):
    """The logistic regression with the best of `STRENGTHS`, by five folds of the rows.

    It is multinomial: the penalty is half of the sum of squares of the kernel.

    Args:
        features: `(N, D)` float64.
        targets: `(N, K)`, shares of the classes that sum to 1, such as one-hot.
        several: Whether they are labels of which each is 0 or 1, with a logistic
            regression of its own.

    Returns:
        `(kernel, intercept)`, `(D, K)` and `(K,)`.

    Reference: Böhning, 1992, Multinomial Logistic Regression Algorithm, whose bound on
    the curvature the steps are scaled by.
    """
    log_likelihood = likely_labels if several else likely_classes
    fold = _folds(targets)
    held = [fold == k for k in np.unique(fold)]
    paths = [_path(features[~out], targets[~out], log_likelihood) for out in held]
    best, count = np.inf, 0
    for found in zip(*paths):  # a weaker penalty takes longer, so stop behind the best
        loss = 0.0
        for out, (kernel, intercept) in zip(held, found):
            logits = features[out] @ kernel + intercept
            loss -= log_likelihood(logits, targets[out])[0]
        if loss >= best:
            break
        best, count = loss, count + 1
    *_, chosen = _path(features, targets, log_likelihood, count)
    return chosen


def _folds(targets):
    """The fold of each row, which deals every class to all of them."""
    fold = np.empty(len(targets), int)
    order = np.argsort(targets.argmax(axis=1), kind="stable")
    fold[order] = np.arange(len(targets)) % FOLDS
    return fold


def _path(features, targets, log_likelihood: Callable, count: int | None = None):
    """The regressions by strength, each from where the stronger one before ended."""
    center = features.mean(axis=0)
    left, values, right = np.linalg.svd(features - center, full_matrices=False)
    unit = max(np.square(values).sum() / features.shape[1], np.finfo(float).tiny)
    weights = np.zeros((len(values), targets.shape[1]))  # (R, K)
    share = targets.mean(axis=0)
    intercept = np.log(np.maximum(share, 0.5 / len(targets)))
    for strength in STRENGTHS[:count]:
        penalty = strength * unit
        scale = 1 / np.sqrt(np.square(values) / 4 + penalty)  # (R,)
        start = np.concatenate([weights / scale[:, None], intercept[None]])
        found = _minimized(
            left * (values * scale),
            targets,
            log_likelihood,
            (penalty * np.square(scale))[:, None],
            start,
        )
        weights, intercept = found[:-1] * scale[:, None], found[-1]
        kernel = right.T @ weights
        yield kernel, intercept - center @ kernel


def _minimized(features, targets, log_likelihood, penalties, start):
    """The weights of the features, one penalty each, and under them the intercept."""

    def objective(flat):
        own = flat.reshape(start.shape)
        logits = features @ own[:-1] + own[-1]
        likely, slope = log_likelihood(logits, targets)
        rest = np.concatenate([features.T @ slope, slope.sum(axis=0)[None]])
        rest[:-1] -= penalties * own[:-1]
        loss = (penalties * np.square(own[:-1])).sum() / 2 - likely
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
    return (targets * logs).sum(), targets - np.exp(logs)


def likely_labels(logits, targets):
    """The same of several labels at once."""
    likely = targets * logits - np.logaddexp(0, logits)
    return likely.sum(), targets - special.expit(logits)
