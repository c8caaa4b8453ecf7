"""What a person says of the labels, where the labels alone do not tell."""

from collections.abc import Sequence
from typing import NamedTuple

from keras_fusion.datasets.errors import DataError

ORDINAL, RISK, SURVIVAL = "ordinal", "risk", "survival"
OF_TIMES = (RISK, SURVIVAL)


class Asked(NamedTuple):
    """What the labels are, as far as somebody said it.

    Attributes:
        task: One of `labels.TASKS`, or None.
        label: The column or columns that hold the labels.
        order: The classes from the least to the most, as texts; empty where whole
            numbers are in their own order.
    """

    task: str | None
    label: str | Sequence[str]
    order: tuple[str, ...]

    @property
    def named(self) -> str | None:
        """The task where nothing but its name tells it from others."""
        return self.task if self.task in (ORDINAL, *OF_TIMES) else None


def asked(
    task: str | None,
    label: str | Sequence[str],
    order: Sequence = (),
    time: str | None = None,
    event: str | None = None,
) -> Asked:
    """What was said, with the task that an order or times ask for.

    Args:
        task, label, order, time, event: As for `datasets.load`.

    Raises:
        DataError: If they do not fit together.
    """
    if (time is None) != (event is None):
        given, other = ("time", "event") if event is None else ("event", "time")
        raise DataError(
            f"expected both columns, time and event; received {given} without {other}"
        )
    if time is not None and time == event:
        raise DataError(f"expected two columns, time and event; both are {time!r}")
    if time is not None:
        task, label = task or RISK, (time, event)
    if order:
        task = task or ORDINAL
    if task in OF_TIMES and time is None:
        raise DataError(
            f'task = "{task}" needs the columns time and event, such as time = "days" '
            'and event = "died"'
        )
    if time is not None and task not in OF_TIMES:
        raise DataError(
            f'time and event are for task = "risk" or "survival"; received {task!r}'
        )
    if order and task != ORDINAL:
        raise DataError(f'order is for task = "ordinal"; received {task!r}')
    return Asked(task, label, tuple(map(str, order)))
