"""Games whose values are known, played by functions of the mask."""

import itertools
import math

import numpy as np


def played(worth):
    """A model that answers `worth(frozenset of the modalities that are there)`."""

    def model(inputs):
        names = [name for name in inputs if name != "modality_mask"]
        masks = inputs["modality_mask"]
        return np.array([worth(frozenset(itertools.compress(names, m))) for m in masks])

    return model


def rows(names, count=1):
    return {name: np.zeros((count, 2), "float32") for name in names}


def by_orders(worth, names):
    """Shapley values from all M! orders, as the words say it."""
    totals = dict.fromkeys(names, 0.0)
    for order in itertools.permutations(names):
        for k, name in enumerate(order):
            before = frozenset(order[:k])
            totals[name] += worth(before | {name}) - worth(before)
    return [totals[name] / math.factorial(len(names)) for name in names]


def random_game(names, seed=0):
    rng = np.random.default_rng(seed)
    table = {
        frozenset(s): rng.normal()
        for k in range(len(names) + 1)
        for s in itertools.combinations(names, k)
    }
    return table.__getitem__
