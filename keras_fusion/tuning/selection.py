"""A greedy choice among the trials of a search, whose answers are averaged.

Reference: Caruana, Niculescu-Mizil, Crew and Ksikes, 2004, Ensemble Selection from
Libraries of Models.
"""

import collections
from collections.abc import Callable

import numpy as np

STEPS = 20


def chosen(
    outputs: dict[str, np.ndarray], score: Callable, by: Callable | None = None
) -> dict:
    """Members of an ensemble, one after the other the one that helps most.

    A member may be chosen again, and then counts more. The choice begins with the best
    and ends where no further member makes the mean better.

    Args:
        outputs: Of each model, for the same rows.
        score: Of outputs; higher is better.
        by: The same, what better means in the choice; None is the score.

    Returns:
        `weights`, how often each member was chosen, and `scores`, after each choice.

    Example:

    >>> answers = {"a": np.array([1.0, 0.0]), "b": np.array([0.0, 1.0])}
    >>> chosen(answers, lambda x: -abs(x - 0.5).sum())["weights"]
    {'a': 1, 'b': 1}
    """
    by = by or score
    names, scores, total, reached = [], [], 0.0, -np.inf
    for count in range(1, STEPS + 1):
        tried = {name: by((total + x) / count) for name, x in outputs.items()}
        best = max(tried, key=tried.get)
        if names and tried[best] <= reached:
            break
        names.append(best)
        reached, total = tried[best], total + outputs[best]
        scores.append(score(total / count))
    return {"weights": dict(collections.Counter(names)), "scores": scores}
