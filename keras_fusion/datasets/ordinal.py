"""Labels in an order -> class numbers that grow with it."""

import numpy as np

from keras_fusion.datasets.arrays import listed
from keras_fusion.datasets.errors import DataError


def classes(
    listing: list, numbers: np.ndarray | None, order: tuple[str, ...]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The class number of each row, and the names of the classes, least first.

    Args:
        listing: The labels, none missing.
        numbers: The same as float64, or None where one is no number.
        order: The names from the least to the most; none takes whole numbers in their
            own order. Where all of both are numbers, they are compared by value, so
            that `1` is `1.0`.

    Raises:
        DataError: If the order names a class twice or misses a label, if there is none
            and a label is no whole number, or there are fewer than two classes.
    """
    if not order:
        order = _whole(listing, numbers)
    elif len({*order}) < len(order):
        twice = next(name for name in order if order.count(name) > 1)
        raise DataError(f"order names {twice!r} twice")
    if len(order) < 2:
        raise DataError(f"expected at least two classes; there is {listed(order)}")
    keys, places = [str(x) for x in listing], {name: k for k, name in enumerate(order)}
    values = _values(order)
    if numbers is not None and values is not None:
        keys, places = numbers.tolist(), {x: k for k, x in enumerate(values)}
    found = [places.get(key) for key in keys]
    if None in found:
        row = found.index(None)
        raise DataError(
            f"order misses the label {str(listing[row])!r} of row {row} (counted from "
            f"0); it has {listed(order)}"
        )
    return np.array(found, np.int32), order


def _whole(listing, numbers):
    """The names of the whole numbers that there are, the smallest first."""
    if numbers is None or (numbers % 1).any():
        other = next(
            x
            for k, x in enumerate(listing)
            if numbers is None and not _is_number(x) or numbers is not None and x % 1
        )
        raise DataError(
            'expected an order, such as order = ["low", "mid", "high"], since '
            f"the label {str(other)!r} is no whole number"
        )
    return tuple(f"{x:.0f}" for x in np.unique(numbers))


def _values(order):
    """The names as numbers, or None where one is no number."""
    return [float(x) for x in order] if all(map(_is_number, order)) else None


def _is_number(x):
    try:
        return np.isfinite(float(x))
    except ValueError:
        return False
