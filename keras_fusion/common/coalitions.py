"""Coalitions of M players, and what each counts in a value of game theory."""

import math

import numpy as np

EXACT = 8  # players, up to which all their coalitions are asked


def all_coalitions(players: int) -> np.ndarray:
    """`(2^M, M)` bool: in row s the players whose bits are set in s."""
    return (np.arange(2**players)[:, None] >> np.arange(players)) % 2 == 1


def shapley_weights(players: int) -> np.ndarray:
    """`(M, 2^M)` float64: the weight of every coalition's worth in each Shapley value.

    The value of i is `sum_S |S|! (M - |S| - 1)! / M! (v(S + i) - v(S))` over the
    coalitions S without i (Shapley, 1953).
    """
    members = all_coalitions(players)
    sizes = members.sum(axis=1)
    weights = np.zeros((players, len(members)))
    for i in range(players):
        rest = np.flatnonzero(~members[:, i])
        counts = _share(sizes[rest], players)
        weights[i, rest] -= counts
        weights[i, rest + 2**i] += counts
    return weights


def interaction_weights(players: int) -> np.ndarray:
    """`(M, M, 2^M)` float64: as `shapley_weights`, of each pair's interaction.

    That of i and j is `sum_S |S|! (M - |S| - 2)! / (M - 1)! (v(S + i + j) - v(S + i) -
    v(S + j) + v(S))` over the coalitions S without both (Grabisch and Roubens, 1999).
    The diagonal holds the Shapley values.
    """
    members = all_coalitions(players)
    sizes = members.sum(axis=1)
    weights = np.zeros((players, players, len(members)))
    for i in range(players):
        for j in range(i):
            rest = np.flatnonzero(~members[:, i] & ~members[:, j])
            counts = _share(sizes[rest], players - 1)
            for step, sign in ((0, 1), (2**i, -1), (2**j, -1), (2**i + 2**j, 1)):
                weights[i, j, rest + step] = weights[j, i, rest + step] = sign * counts
    weights[np.arange(players), np.arange(players)] = shapley_weights(players)
    return weights


def _share(sizes, players):
    """How often so many of the players stand before a given one in a random order."""
    return np.array([1 / (players * math.comb(players - 1, s)) for s in sizes])
