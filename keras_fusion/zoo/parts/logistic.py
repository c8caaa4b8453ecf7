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
    rows = _Uncorrelated(features)
    unit = max(rows.squares.sum() / features.shape[1], np.finfo(float).tiny)
    weights = np.zeros((len(rows.squares), targets.shape[1]))  # (R, K)
    for strength in STRENGTHS[:count]:
        penalty = strength * unit
        scale = 1 / np.sqrt(rows.squares / 4 + penalty)[:, None]  # (R, 1)
        start = np.concatenate([weights / scale, intercept[None]])
        found = _minimized(rows, scale, targets, log_likelihood, penalty, start)
        weights, intercept = found[:-1] * scale, found[-1]
        kernel = rows.kernel(weights)
        yield kernel, intercept - rows.center @ kernel


class _Uncorrelated:
    """Features around their center, turned so that they do not correlate.

    Where there are more rows than features it is weights that are turned, each time:
    to turn the rows takes as long as all products with them. Sparse rows stay as they
    are, since turned they would be dense.

    Attributes:
        center: `(D,)`.
        squares: `(R,)`, the sum of squares of each feature, turned.
    """

    def __init__(self, features):
        self._turn = self._turned = None
        if sparse.issparse(features):
            self.center = np.zeros(features.shape[1])
            self._rows, self.squares = features, features.power(2).sum(axis=0)
            return
        self.center = features.mean(axis=0)
        rows = features - self.center
        if len(rows) < features.shape[1]:
            self._turned = np.linalg.svd(rows, full_matrices=False)[2].T  # (D, R)
            self._rows = rows @ self._turned
            self.squares = np.square(self._rows).sum(axis=0)
        else:
            squares, self._turn = np.linalg.eigh(rows.T @ rows)  # (D, D)
            self._rows, self.squares = rows, np.maximum(squares, 0)

    def kernel(self, weights):
        """`(D, K)` of the features as they were, from `(R, K)` of the turned ones."""
        turn = self._turn if self._turned is None else self._turned
        return weights if turn is None else turn @ weights

    def ahead(self, weights):
        """What `(R, K)` weights make of the rows, `(N, K)`."""
        return self._rows @ (weights if self._turn is None else self._turn @ weights)

    def back(self, slope):
        """The features' part, `(R, K)`, in a slope `(N, K)`."""
        found = self._rows.T @ slope
        return found if self._turn is None else self._turn.T @ found


def _minimized(rows, scale, targets, log_likelihood, penalty, start):
    """The weights of the features, over their scale, and under them the intercept."""

    def objective(flat):
        own = flat.reshape(start.shape)
        weights = own[:-1] * scale
        likely, slope = log_likelihood(rows.ahead(weights) + own[-1], targets)
        inner = scale * (rows.back(slope) - penalty * weights)
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
