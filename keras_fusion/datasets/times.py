"""Times until an event, and whether it happened -> labels of a model of survival."""

import numpy as np

from keras_fusion.datasets import multilabel
from keras_fusion.datasets.arrays import LARGEST
from keras_fusion.datasets.errors import DataError
from keras_fusion.survival import cut_points

INTERVALS = 10  # of about as many events each


def joined(columns: dict[str, np.ndarray]) -> np.ndarray:
    """`(N, 2)` float32, time and event, from the two columns, `(N,)` each.

    Raises:
        DataError: If a time is no number from 0, an event no truth value, or all rows
            have the same of one.
    """
    (name, values), event = next(iter(columns.items())), [*columns][1]
    times = np.array([_number(x) for x in values.tolist()])
    wrong = np.flatnonzero(~((times >= 0) & (times <= LARGEST)))
    if len(wrong):
        raise DataError(
            f"expected times from 0 in {name!r}; received "
            f"{str(values[wrong[0]])!r} in row {wrong[0]} (counted from 0)"
        )
    happened = multilabel.joined({event: columns[event]})[:, 0]
    if not happened.any():
        raise DataError(
            f"expected rows where the event happened; {event!r} is false in all "
            f"{len(happened)}"
        )
    return np.stack([times, happened], axis=1).astype(np.float32)


def of_training(labels: np.ndarray) -> tuple[float, ...]:
    """The times that cut the events of rows that train into `INTERVALS`.

    Args:
        labels: `(B, 2)` from `joined`.

    Raises:
        DataError: If none of the rows has an event, or all events share one time that
            no row is before or after.
    """
    if not labels[:, 1].any():
        raise DataError("no row that trains has an event: gather more rows with one")
    return tuple(cut_points(labels[:, 0], labels[:, 1], INTERVALS).tolist())


def names(times: tuple[float, ...]) -> tuple[str, ...]:
    """The times as texts that a person reads."""
    return tuple(f"{x:.6g}" for x in times)


def _number(x):
    try:
        return float(x)
    except (TypeError, ValueError):
        return np.nan
