"""One column of a table: what training learned of it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_fusion.datasets.builtin import archives
from keras_fusion.datasets.columns.kinds import KINDS, kind
from keras_fusion.datasets.columns.modality import Wanted
from keras_fusion.datasets.columns.values import missing
from keras_fusion.datasets.errors import DataError
from keras_fusion.datasets.reach import near


@dataclass(frozen=True)
class Column:
    """A column as training knows it.

    Attributes:
        name: In the table.
        kind: One of `KINDS`.
        state: What the kind learned, as JSON knows it.
        rows, missing: Of the training rows, and those of them without a value.
    """

    name: str
    kind: str
    state: dict
    rows: int
    missing: int

    def encode(self, values) -> tuple[np.ndarray, np.ndarray]:
        """Numbers `(N, ...)` and where they are present, `(N,)` bool."""
        return KINDS[self.kind].encode(values, self.state)


def fitted(wanted: Wanted, table: Mapping, folder: str | Path | None) -> Column:
    """The column that is wanted, learned from the training rows of a table.

    Raises:
        DataError: If it is not there, or is not of the kind that it is said to be.
    """
    values = table.get(wanted.name)
    if values is None:
        raise DataError(f"no column {wanted.name!r}; there is {', '.join(table)}")
    values = placed(wanted, values, folder)
    try:
        learn = kind(wanted.kind).fit
        state = learn(values, **wanted.options)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"column {wanted.name!r} cannot be of kind {wanted.kind}: {error}"
        ) from error
    lost = int(missing(values).sum())
    return Column(wanted.name, wanted.kind, state, len(values), lost)


def placed(
    column: Wanted | Column, values: np.ndarray, folder: str | Path | None
) -> np.ndarray:
    """Values of a kind whose values are files, with the folder before their paths.

    Raises:
        DataError: If a path leads to where a table may not: out of its folder, of the
            one at work, and of that of the data.
    """
    if folder is None or not hasattr(KINDS.get(column.kind), "FILES"):
        return values
    found, is_near = np.empty(len(values), object), near(folder)
    for row, value in enumerate(values):
        found[row] = value
        if isinstance(value, str) and value.strip():
            found[row] = os.path.join(folder, value)
            if not is_near(found[row]):
                raise DataError(_far(column.name, value))
    return found


def _far(name, path):
    return (
        f"column {name!r} names {path!r}, which lies neither under the folder of the "
        f"table, nor under the current folder, nor under {archives.folder()}: if it is "
        f"meant, start in a folder above it, or set {archives.VARIABLE} to its folder"
    )


def noted(
    column: Column,
    values: np.ndarray,
    present: np.ndarray,
    there: bool,
    rows: np.ndarray | None = None,
) -> list[str]:
    """A sentence if a column is not there, or has values that cannot be read.

    Args:
        column: What is known of it.
        values, present: `(N,)` as they came, and where they could be read.
        there: Whether the table has the column.
        rows: `(N,)` numbers of the rows in their table; None counts from 0.
    """
    if not there:
        return [f"there is no column {column.name!r}: it counts as empty"]
    lost = np.flatnonzero(~missing(values) & ~present)
    if not len(lost):
        return []
    first = ", ".join(
        f"{repr(str(values[i]))[:80]} in row {i if rows is None else rows[i]}"
        for i in lost[:3]
    )
    count = "1 value" if len(lost) == 1 else f"{len(lost):,} values"
    return [
        f"{count} of {column.name!r} cannot be read as {column.kind}, and "
        f"{'counts' if len(lost) == 1 else 'count'} as missing: {first}"
        + (f" and {len(lost) - 3:,} more" if len(lost) > 3 else "")
        + " (rows are counted from 0)"
    ]


def as_values(x) -> np.ndarray:
    """`(N,)` values as an array, which keeps what they are."""
    if isinstance(x, np.ndarray):
        return x
    values = np.empty(len(x), object)
    values[:] = list(x)
    return values
