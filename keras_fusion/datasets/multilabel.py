"""Several labels at once -> 0 and 1 for each: `"cat|dog"`, or a column a label."""

import numpy as np

from keras_fusion.datasets.arrays import listed
from keras_fusion.datasets.columns import boolean
from keras_fusion.datasets.errors import DataError

SEPARATOR = "|"


def is_meant(labels: np.ndarray, task: str | None) -> bool:
    """Whether rows have several labels: one is text with `|`, or `task` says so."""
    if task is not None:
        return task == "multilabel"
    return labels.ndim == 2 or any(
        isinstance(label, str) and SEPARATOR in label for label in labels.tolist()
    )


def encode(
    labels: np.ndarray, rows: int, names: tuple[str, ...] = ()
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels as a model takes them, and their names.

    Args:
        labels: `(rows,)` text, names with `|` between them and none in `""`; or
            `(rows, K)` of 0 and 1.
        rows: That there should be.
        names: Of the K; numbers where there are none. Text names its own.

    Returns:
        `(rows, K)` int32 of 0 and 1, and K names, those of text in sorted order.

    Raises:
        DataError: If the shape is another, a label is missing or no truth value, or
            there is only one name.
    """
    if labels.shape[:1] != (rows,) or labels.ndim > 2:
        raise DataError(
            f"expected labels in shape ({rows},) or ({rows}, K); received "
            f"{labels.shape}"
        )
    if labels.ndim == 1:
        labels, names = _of_text(labels)
    elif not np.isin(labels, (0, 1)).all():
        raise DataError("expected 0 or 1 for each of several labels")
    names = names or tuple(map(str, range(labels.shape[1])))
    if len(names) < 2:
        raise DataError(f"expected at least two labels; there is {listed(names)}")
    return labels.astype(np.int32), names


def joined(columns: dict[str, np.ndarray]) -> np.ndarray:
    """`(N, K)` of 0 and 1 from K columns `(N,)` of truth values.

    Raises:
        DataError: If a value is none; it names the column.
    """
    codes = [boolean.encode(values, {})[0][:, 0] for values in columns.values()]
    for (name, values), code in zip(columns.items(), codes, strict=True):
        wrong = np.flatnonzero(code < boolean.FIRST)
        if len(wrong):
            raise DataError(
                f"expected true or false (or 0 or 1) in the label {name!r}; received "
                f"{values[wrong[0]]!r} in row {wrong[0]} (counted from 0)"
            )
    return np.stack(codes, axis=1) - boolean.FIRST


def rarest(labels: np.ndarray) -> np.ndarray:
    """`(N,)`: the number of each row's rarest label, K for a row without any.

    What is split in proportion by it has its rare labels in all parts.

    Args:
        labels: `(N, K)` of 0 and 1.
    """
    counts = np.where(labels > 0, labels.sum(axis=0), np.inf)  # (N, K)
    return np.where(labels.any(axis=1), counts.argmin(axis=1), labels.shape[1])


def _of_text(labels):
    rows = [[part.strip() for part in str(x).split(SEPARATOR)] for x in labels.tolist()]
    names = sorted({name for row in rows for name in row if name})
    number_of = {name: number for number, name in enumerate(names)}
    found = np.zeros((len(rows), len(names)), np.int32)
    for row, parts in enumerate(rows):
        found[row, [number_of[name] for name in parts if name]] = 1
    return found, tuple(names)
