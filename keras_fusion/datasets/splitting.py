"""Which rows train, validate and test."""

from typing import NamedTuple

import numpy as np

_FIFTH = 0.2


class Rows(NamedTuple):
    """Row numbers, sorted."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split(strata: np.ndarray, is_train: np.ndarray | None, rng) -> Rows:
    """A fifth of the rows to test, a fifth to validate, in proportion by stratum.

    With a fixed split the rows that are not `is_train` test, and a fifth of the others
    validates.

    Args:
        strata: `(N,)` integers; a row's class.
        is_train: `(N,)` bool, or None where there is no fixed split.
        rng: `numpy.random.Generator`.
    """
    rows = np.arange(len(strata))
    if is_train is None:
        test, rest = draw(rows, strata, lambda n: round(n * _FIFTH), rng)
        share = _FIFTH / (1 - _FIFTH)
    else:
        test, rest = rows[~is_train], rows[is_train]
        share = _FIFTH
    validation, train = draw(rest, strata, lambda n: round(n * share), rng)
    return Rows(train, validation, test)


def draw(rows, strata, count, rng):
    """`count(n)` of the `n` rows of each stratum, at random, and the rest."""
    groups = [rows[strata[rows] == s] for s in np.unique(strata[rows])]
    drawn = [rng.permutation(group)[: count(len(group))] for group in groups]
    drawn = np.concatenate([rows[:0], *drawn])
    return np.sort(drawn), np.setdiff1d(rows, drawn)
