"""Labels of any type -> class numbers, or numbers to regress on."""

import numpy as np

from keras_fusion.datasets.arrays import listed
from keras_fusion.datasets.errors import DataError


def encode(labels: np.ndarray, rows: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels as a model takes them, and the names of the classes.

    Strings, booleans and whole numbers (floats that are whole, too) are classes,
    numbered in sorted order; other numbers are kept, for regression.

    Args:
        labels: `(rows,)`, strings or numbers.

    Returns:
        `(rows,)` int32 and one name per class, or `(rows,)` float32 and no names.

    Raises:
        DataError: If the shape is another, a label is missing or not finite, the type
            is another, or there is only one class.
    """
    if labels.shape != (rows,):
        raise DataError(
            f"expected labels in shape ({rows},), or masks ({rows}, H, W); received "
            f"{labels.shape}"
        )
    listing = labels.tolist()
    missing = np.flatnonzero([_is_missing(label) for label in listing])
    if len(missing):
        raise DataError(
            f"the label is missing (NaN, Inf or null) in row {listed(missing)} "
            "(counted from 0)"
        )
    strings = all(isinstance(label, str) for label in listing)
    if not strings and labels.dtype.kind not in "biuf":
        raise DataError(
            f"expected strings or numbers as labels; received {labels.dtype} values"
        )
    if not strings and (labels % 1).any():
        return labels.astype(np.float32), ()
    values, numbers = np.unique(labels, return_inverse=True)
    if len(values) == 1:
        raise DataError(f"expected at least two classes; all labels are {values[0]}")
    return numbers.astype(np.int32), tuple(map(_class_name, values))


def encode_masks(
    masks: np.ndarray, class_names: tuple[str, ...] = ()
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Masks as a model takes them, and the names of the classes.

    Masks of two values are foreground (the larger) on background: 1 and 0, and one
    name. Others are numbered in the order of their values.

    Args:
        masks: `(rows, H, W)` whole numbers.
        class_names: Where the values are numbers of these names already, one name
            being that of the foreground.

    Returns:
        `(rows, H, W)` int32 and the names.

    Raises:
        DataError: If a value is no whole number or has no name, or all are the same.
    """
    if masks.dtype.kind not in "biuf" or (masks % 1).any():  # NaN % 1 is true
        raise DataError(
            f"expected whole numbers in the masks; received {masks.dtype} values"
        )
    values = np.unique(masks)
    if class_names:
        if not np.isin(values, range(max(2, len(class_names)))).all():
            raise DataError(
                f"expected masks of the classes {listed(class_names)}; received the "
                f"values {listed(values)}"
            )
        return masks.astype(np.int32), tuple(class_names)
    if len(values) == 1:
        raise DataError(f"expected at least two classes; all pixels are {values[0]}")
    names = ("foreground",) if len(values) == 2 else tuple(map(_class_name, values))
    return np.searchsorted(values, masks).astype(np.int32), names


def _is_missing(label):
    return label is None or (isinstance(label, float) and not np.isfinite(label))


def _class_name(value):
    return f"{value:.0f}" if isinstance(value, np.floating) else str(value)
