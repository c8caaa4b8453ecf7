"""Which rows train, validate and test, drawn at random."""

from typing import NamedTuple

import numpy as np

from keras_fusion.datasets.errors import DataError

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
        groups: `(N,)` numbers or text, such as persons: whole groups validate (and
            test), about a fifth of them and at least one, and `strata` does not count.
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


def fold(
    strata: np.ndarray,
    is_train: np.ndarray | None,
    rng,
    groups: np.ndarray | None,
    number: int,
    count: int,
) -> Rows:
    """The split of one of `count` folds, which every call draws alike by the same rng.

    Fold `number` (from 1) tests and the next one validates, so that every row tests
    once. With a fixed split fold `number` of the rows that are `is_train` validates.

    Args:
        strata: As for `split`; each is spread evenly over the folds.
        is_train: As for `split`.
        rng: As for `split`.
        groups: As for `split`: a group is in one fold.
        number: From 1 to `count`.
        count: From 3, or from 2 with a fixed split.

    Raises:
        DataError: If there are fewer groups or rows than folds.
    """
    rows = np.arange(len(strata))
    drawn = rows if is_train is None else rows[is_train]
    units = strata if groups is None else _numbered(groups)
    deal = _deal if groups is None else _deal_groups
    found = len(drawn) if groups is None else len(np.unique(units[drawn]))
    if found < count:
        what = "rows" if groups is None else "groups"
        raise DataError(f"{count} folds need as many {what}; there are {found}")
    folds = deal(units[drawn], count, rng)
    tested = drawn[folds == number - 1]
    if is_train is not None:
        train = drawn[folds != number - 1]
        return Rows(train, tested, rows[~is_train])
    validation = drawn[folds == number % count]
    return Rows(np.setdiff1d(drawn, [*tested, *validation]), validation, tested)


def draw(rows, strata, count, rng):
    """`count(n)` of the `n` rows of each stratum, at random, and the rest."""
    groups = [rows[strata[rows] == s] for s in np.unique(strata[rows])]
    drawn = [rng.permutation(group)[: count(len(group))] for group in groups]
    drawn = np.concatenate([rows[:0], *drawn])
    return np.sort(drawn), np.setdiff1d(rows, drawn)


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


def _deal(strata, count, rng):
    """The fold of each row: those of a stratum go round, one to each."""
    shuffled = rng.permutation(len(strata))
    folds = np.empty(len(strata), int)
    folds[shuffled[np.argsort(strata[shuffled], kind="stable")]] = (
        np.arange(len(strata)) % count
    )
    return folds


def _deal_groups(groups, count, rng):
    """The fold of each row: the largest group left goes to the smallest fold."""
    sizes = np.bincount(groups)
    order = rng.permutation(np.unique(groups))
    order = order[np.argsort(-sizes[order], kind="stable")]
    load, fold_of = np.zeros(count, int), np.zeros(len(sizes), int)
    for group in order:
        fold_of[group] = load.argmin()
        load[load.argmin()] += sizes[group]
    return fold_of[groups]


def _numbered(groups):
    return np.unique(groups, return_inverse=True)[1]
