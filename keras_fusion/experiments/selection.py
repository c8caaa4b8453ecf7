"""Which of many trained models make the best ensemble."""

from collections.abc import Callable, Sequence

import numpy as np

ROUNDS = 50


def greedy(
    predictions: Sequence[np.ndarray],
    labels: np.ndarray,
    score: Callable,
    rounds: int = ROUNDS,
) -> list[int]:
    """How often each model counts in a greedy ensemble.

    Round by round the model joins, again or for the first time, with which the mean of
    all that have joined scores best. What counts in the end are the rounds up to the
    best of them; of equals the first model and the earliest round win.

    Args:
        predictions: Each model's `(B, ...)` for the same rows. They are rows that it
            was not trained on: of validation, or out-of-fold.
        labels: `(B, ...)`.
        score: From labels and predictions, higher is better.
        rounds: The most that there are.

    Returns:
        A whole number for each model; at least one of them is not zero. The ensemble
        scores at least what the best single model does, on these rows.

    Example:

    >>> right = lambda labels, x: float(np.mean((x > 0.5) == labels))
    >>> models = [np.array([0.4, 0.9]), np.array([0.8, 0.3]), np.array([0.1, 0.1])]
    >>> greedy(models, np.array([1, 1]), right)
    [1, 1, 0]

    References: Caruana et al., 2004, Ensemble Selection from Libraries of Models.
    Feurer et al., 2015, Efficient and Robust Automated Machine Learning.
    """
    if not predictions or rounds < 1:
        raise ValueError(
            f"Expected at least one model and one round; received {len(predictions)} "
            f"and {rounds}."
        )
    joined, scores = [], []
    total = np.zeros_like(predictions[0], dtype="float64")
    for size in range(1, rounds + 1):
        found = [score(labels, (total + x) / size) for x in predictions]
        best = int(np.argmax(found))
        total = total + predictions[best]
        joined.append(best)
        scores.append(found[best])
    kept = joined[: int(np.argmax(scores)) + 1]
    return [kept.count(i) for i in range(len(predictions))]


def gains(
    predictions: Sequence[np.ndarray],
    counts: Sequence[int],
    labels: np.ndarray,
    score: Callable,
) -> list[float | None]:
    """What each member adds: the ensemble's score minus that without the member.

    Returns:
        None for what is no member, and for the only one.
    """

    def mean(counts):
        return sum(n * x for n, x in zip(counts, predictions)) / sum(counts)

    whole = score(labels, mean(counts))
    found = []
    for i, count in enumerate(counts):
        rest = [0 if j == i else n for j, n in enumerate(counts)]
        alone = not count or not any(rest)
        found.append(None if alone else whole - score(labels, mean(rest)))
    return found
