"""Labels of any type -> class numbers, or numbers to regress on."""

import numpy as np

from keras_fusion.common.names import IGNORED
from keras_fusion.datasets import multilabel, ordinal
from keras_fusion.datasets.arrays import LARGEST, listed
from keras_fusion.datasets.asked import OF_TIMES, ORDINAL
from keras_fusion.datasets.errors import DataError

TASKS = ("classification", "regression", "multilabel", ORDINAL, *OF_TIMES)
_MANY = 20  # classes that whole numbers may name without a question
_ROWS = 5  # rows a class, from which on more of them are no question either


def encode(
    labels: np.ndarray,
    rows: int,
    task: str | None = None,
    order: tuple[str, ...] = (),
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels as a model takes them, and the names of the classes.

    Classes are named by their text as it stands, and numbered in sorted order: by
    value where all are numbers, else by text.

    Args:
        labels: `(rows,)`, strings or numbers.
        rows: That there should be.
        task: `"classification"`, `"regression"` or `"ordinal"`. None takes text,
            booleans and whole numbers for classes and other numbers for the target of a
            regression.
        order: Of ordinal classes; see `ordinal.classes`.

    Returns:
        `(rows,)` int32 and one name per class, or `(rows,)` float32 and no names.

    Raises:
        DataError: If the shape is another, a label is missing or not finite, the type
            is another, there is only one class, the labels are no numbers for a
            regression, they do not fit an order, or they are so many whole numbers that
            both could be meant.
    """
    if labels.shape != (rows,):
        raise DataError(
            f"expected labels in shape ({rows},), or masks ({rows}, H, W); received "
            f"{labels.shape}"
        )
    if task not in (None, *TASKS):
        raise DataError(f"expected task to be one of {TASKS}; received {task!r}")
    listing = labels.tolist()
    missing = np.flatnonzero([_is_missing(label) for label in listing])
    if len(missing):
        raise DataError(
            f"the label is missing (NaN, Inf or null) in row {listed(missing)} "
            "(counted from 0)"
        )
    if not all(isinstance(label, str | bool | int | float) for label in listing):
        raise DataError(
            f"expected strings or numbers as labels; received {labels.dtype} values"
        )
    numbers = _numbers(listing)
    if task == ORDINAL:
        return ordinal.classes(listing, numbers, order)
    if (task or _inferred(listing, numbers)) == "regression":
        return _target(listing, numbers), ()
    return _classes(listing, numbers)


def note_task(labels: np.ndarray, class_names: tuple[str, ...]) -> list[str]:
    """Which task was taken and why, where numbers decided it."""
    if labels.ndim > 2:  # masks, which as a list would be many times as large
        return []
    if multilabel.is_meant(labels, None):
        return [
            "the task is multilabel, since rows have several labels at once"
            + (
                '; task = "classification" would take each text with | for one class'
                if labels.ndim == 1
                else ""
            )
        ]
    if labels.ndim > 1:
        return []
    listing = labels.tolist()
    if isinstance(listing[0], bool) or _numbers(listing) is None:
        return []
    if class_names:
        return [
            "the task is classification, since the labels are "
            f"{len(class_names)} whole numbers; "
            'task = "regression" would take them for amounts'
        ]
    return [
        "the task is regression, since the labels are numbers that are not whole; "
        'task = "classification" would take them for classes'
    ]


def encode_masks(
    masks: np.ndarray, class_names: tuple[str, ...] = ()
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Masks as a model takes them, and the names of the classes.

    Masks of two values are foreground (the larger) on background: 1 and 0, and one
    name. Others are numbered in the order of their values. Where masks hold 0, 1 and
    so on, and 255, the pixels of 255 are those that nobody labeled: they stay 255, and
    losses and scores leave them out.

    Args:
        masks: `(rows, H, W)` whole numbers.
        class_names: Where the values are numbers of these names already, one name
            being that of the foreground.

    Returns:
        `(rows, H, W)` whole numbers of as few bytes as the classes need, and the names.

    Raises:
        DataError: If a value is no whole number or has no name, or all are the same.
    """
    whole = masks.dtype.kind in "biu"
    if not whole and (masks.dtype.kind != "f" or (masks % 1).any()):  # NaN % 1 is true
        raise DataError(
            f"expected whole numbers in the masks; received {masks.dtype} values"
        )
    # One by one: all at once would need several times their memory.
    values = np.unique([value for mask in masks for value in np.unique(mask)])
    if len(values) > IGNORED + 1:
        raise DataError(
            f"expected masks of at most {IGNORED} classes; received {len(values)}"
        )
    known, ignored = values[values != IGNORED], IGNORED in values
    if class_names:
        if not np.isin(known, range(max(2, len(class_names)))).all():
            raise DataError(
                f"expected masks of the classes {listed(class_names)}; received the "
                f"values {listed(values)}"
            )
        highest = IGNORED if ignored else len(class_names)
        return masks.astype(np.min_scalar_type(highest)), tuple(class_names)
    ignored &= len(known) > 1 and np.array_equal(known, range(len(known)))
    values = known if ignored else values
    if len(values) == 1:
        raise DataError(f"expected at least two classes; all pixels are {values[0]}")
    names = [f"{x:.0f}" if isinstance(x, np.floating) else str(x) for x in values]
    names = ("foreground",) if len(values) == 2 else tuple(names)
    numbers = np.empty(masks.shape, np.min_scalar_type(len(values)))
    for number, mask in zip(numbers, masks, strict=True):
        number[...] = np.searchsorted(values, mask)
        if ignored:
            number[mask == IGNORED] = IGNORED
    return numbers, names


def _is_missing(label):
    if isinstance(label, str):
        return False
    return label is None or (isinstance(label, float) and not np.isfinite(label))


def _numbers(listing):
    """The labels as float64, or None where one is no finite number."""
    try:
        numbers = np.array([_number(label) for label in listing], np.float64)
    except (ValueError, OverflowError):
        return None
    return numbers if np.isfinite(numbers).all() else None


def _number(label):
    if isinstance(label, str) and "_" in label:  # Python takes 1_0 for 10
        raise ValueError(label)
    return float(label)


def _inferred(listing, numbers):
    if numbers is None or any(isinstance(label, bool) for label in listing):
        return "classification"
    if (numbers % 1).any():
        return "regression"
    classes = len(set(map(str, listing)))
    if classes > _MANY and len(listing) < _ROWS * classes:
        raise DataError(
            f"the labels are {classes} different whole numbers in {len(listing)} rows: "
            'say task = "regression" (--task regression) if they are amounts, '
            'task = "classification" if they are classes'
        )
    return "classification"


def _target(listing, numbers):
    if numbers is None:
        row = next(i for i, x in enumerate(listing) if _numbers([x]) is None)
        raise DataError(
            f"a regression needs numbers as labels; received {listing[row]!r} in row "
            f"{row} (counted from 0)"
        )
    if np.abs(numbers).max() > LARGEST:
        raise DataError("expected labels that float32 can hold")
    return numbers.astype(np.float32)


def _classes(listing, numbers):
    texts = [str(label) for label in listing]
    values = dict.fromkeys(texts) if numbers is None else dict(zip(texts, numbers))
    names = sorted(values, key=None if numbers is None else lambda x: (values[x], x))
    if len(names) == 1:
        raise DataError(f"expected at least two classes; all labels are {names[0]}")
    number_of = {name: number for number, name in enumerate(names)}
    return np.array([number_of[x] for x in texts], np.int32), tuple(names)
