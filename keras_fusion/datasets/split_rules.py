"""How a person says which rows train: at random, by a column, by time, by folds."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from keras_fusion.datasets.arrays import listed
from keras_fusion.datasets.errors import DataError
from keras_fusion.datasets.splitting import Rows, fold, split

FORMS = (
    *('"stratified"', '"random"', '"column:NAME"', '"time:NAME"'),
    *('"fold:K/N"', '"validation:K/N"'),
)
_PARTS = {"train": 0, "validation": 1, "val": 1, "valid": 1, "dev": 1, "test": 2}
_FIFTH = 0.2
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Rule:
    """A split as it is said.

    Attributes:
        kind: What stands before the colon.
        column: Of `column:NAME` and `time:NAME`.
        fold: `(K, N)` of `fold:K/N` and `validation:K/N`.
    """

    kind: str = "stratified"
    column: str | None = None
    fold: tuple[int, int] | None = None

    def rows(self, strata, is_train, rng, groups, columns) -> Rows:
        """The rows of each part.

        Args:
            strata: `(N,)` integers; a row's class.
            is_train: `(N,)` bool, or None where there is no fixed split.
            rng: `numpy.random.Generator`.
            groups: `(N,)`, or None; rows of one stay together where rows are drawn.
            columns: `(N,)` values by name, that of this rule among them.

        Raises:
            DataError: If the values of the column are not as they must be.
        """
        if self.column is not None and is_train is not None:
            raise DataError(
                f"is_train fixes what tests, and so does {self.kind}:{self.column}: "
                "leave one of them out"
            )
        if self.kind == "column":
            return _by_column(self.column, columns[self.column])
        if self.kind == "time":
            return _by_time(_moments(self.column, columns[self.column]))
        if self.kind == "random":
            strata = np.zeros_like(strata)
        if self.kind == "validation" and is_train is None:
            tested = split(strata, None, rng, groups).test
            is_train = ~np.isin(np.arange(len(strata)), tested)
        if self.fold:
            return fold(strata, is_train, rng, groups, *self.fold)
        return split(strata, is_train, rng, groups)


def rule(said: str) -> Rule:
    """The rule that a text says.

    Raises:
        DataError: If it says none.
    """
    kind, colon, rest = said.partition(":")
    if said in ("stratified", "random"):
        return Rule(said)
    if kind in ("column", "time") and rest:
        return Rule(kind, column=rest)
    folds = re.fullmatch(r"(\d{1,6})/(\d{1,6})", rest)
    if kind in ("fold", "validation") and folds:
        number, count = map(int, folds.groups())
        if count >= 3 and 1 <= number <= count:
            return Rule(kind, fold=(number, count))
    raise DataError(
        f"expected split to be one of {', '.join(FORMS)}, K from 1 to N, N from 3; "
        f"received {said!r}"
    )


def is_rule(said: str) -> bool:
    """Whether a text says a rule."""
    try:
        rule(said)
    except DataError:
        return False
    return True


def require_apart(rows: Rows, groups: np.ndarray) -> None:
    """Raises a DataError where rows of one group are in two parts."""
    for one, other in ((0, 1), (0, 2), (1, 2)):
        both = np.intersect1d(groups[rows[one]], groups[rows[other]])
        if len(both):
            raise DataError(
                f"rows of the group {both[0]!s} are in {rows._fields[one]} and in "
                f"{rows._fields[other]}: split by groups alone, or leave groups out"
            )


def group_numbers(name: str, values: np.ndarray) -> np.ndarray:
    """`(N,)` text, one for each group; a DataError where a row has none."""
    missing = [i for i, x in enumerate(values.tolist()) if x is None or x != x]
    if missing:
        raise DataError(
            f"the group {name!r} is missing in row {listed(missing)} (counted from 0)"
        )
    return np.array([str(x) for x in values.tolist()])


def _by_column(name, values):
    parts = [_PARTS.get(str(x).strip().casefold()) for x in values.tolist()]
    if None in parts:
        row = parts.index(None)
        raise DataError(
            f"expected train, validation or test in {name!r}; received "
            f"{values[row]!r} in row {row} (counted from 0)"
        )
    return Rows(*(np.flatnonzero(np.array(parts) == part) for part in range(3)))


def _by_time(moments):
    """The latest fifth tests, the fifth before it validates; one moment, one part."""
    ordered = np.sort(moments)
    test = ordered[round(len(ordered) * (1 - _FIFTH)) - len(ordered)]
    validation = ordered[round(len(ordered) * (1 - 2 * _FIFTH)) - len(ordered)]
    return Rows(
        np.flatnonzero(moments < validation),
        np.flatnonzero((moments >= validation) & (moments < test)),
        np.flatnonzero(moments >= test),
    )


def _moments(name, values):
    """Numbers or dates as float64 that grow with time."""
    return np.array([_moment(name, row, x) for row, x in enumerate(values.tolist())])


def _moment(name, row, value):
    try:
        if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
            value = datetime.fromisoformat(value.strip())
        if isinstance(value, date):
            return float(np.datetime64(_without_zone(value), "us").astype(np.int64))
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = np.nan
    if not np.isfinite(number):
        raise DataError(
            f"expected numbers or dates as 2024-12-31 or 2024-12-31T23:59 in {name!r}; "
            f"received {value!r} in row {row} (counted from 0)"
        )
    return number


def _without_zone(value):
    """A moment in UTC, which numpy takes without saying so."""
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value
