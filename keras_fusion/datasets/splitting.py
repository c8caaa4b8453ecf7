"""Which rows train, validate and test."""

from typing import NamedTuple

import numpy as np

_FIFTH = 0.2


class Rows(NamedTuple):
    """Row numbers, sorted."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split(
    strata: np.ndarray,
    is_train: np.ndarray | None,
    rng,
    groups: np.ndarray | None = None,
) -> Rows:
    """A fifth of the rows to test, a fifth to validate, in proportion by stratum.

    With a fixed split the rows that are not `is_train` test, and a fifth of the others
    validates.

    Args:
        strata: `(N,)` integers; a row's class.
        is_train: `(N,)` bool, or None where there is no fixed split.
        rng: `numpy.random.Generator`.
        groups: `(N,)` integers, such as persons: whole groups validate (and test),
            about a fifth of them and at least one, and `strata` does not count.
    """
    if groups is not None:
        return _by_group(groups, is_train, rng)
    rows = np.arange(len(strata))
    if is_train is None:
        test, rest = draw(rows, strata, lambda n: round(n * _FIFTH), rng)
        share = _FIFTH / (1 - _FIFTH)
    else:
        test, rest = rows[~is_train], rows[is_train]
        share = _FIFTH
    validation, train = draw(rest, strata, lambda n: round(n * share), rng)
    return Rows(train, validation, test)


def _by_group(groups, is_train, rng):
    share = _FIFTH
    if is_train is None:
        is_train = ~_held_out(groups, share, rng)
        share = _FIFTH / (1 - _FIFTH)
    rest = np.flatnonzero(is_train)
    held_out = _held_out(groups[rest], share, rng)
    return Rows(rest[~held_out], rest[held_out], np.flatnonzero(~is_train))


def _held_out(groups, share, rng):
    """`(N,)` bool: the rows of this share of the groups, drawn at random."""
    names = np.unique(groups)
    return np.isin(groups, rng.permutation(names)[: max(1, round(len(names) * share))])


def draw(rows, strata, count, rng):
    """`count(n)` of the `n` rows of each stratum, at random, and the rest."""
    groups = [rows[strata[rows] == s] for s in np.unique(strata[rows])]
    drawn = [rng.permutation(group)[: count(len(group))] for group in groups]
    drawn = np.concatenate([rows[:0], *drawn])
    return np.sort(drawn), np.setdiff1d(rows, drawn)
