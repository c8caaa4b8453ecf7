"""Arrays of any origin -> checked arrays by modality."""

import numpy as np

from keras_fusion.datasets.errors import DataError

LARGEST = float(np.finfo(np.float32).max)


def as_numbers(name, values, source):
    """`values` as they are; a DataError unless they are finite float32 numbers or NaN.

    Models compute in float32: what that cannot hold is refused wherever rows come in.
    """
    if values.dtype.kind not in "biuf":
        raise DataError(
            f"{source}: expected numbers in {name!r}; received {values.dtype} values."
        )
    if values.dtype.kind == "f" and values.size:
        # fmin and fmax pass over NaN, and need no second array
        ends = [float(f.reduce(values, axis=None)) for f in (np.fmin, np.fmax)]
        if ends[0] < -LARGEST or ends[1] > LARGEST:
            raise DataError(
                f"{source}: expected finite float32 numbers in {name!r}; received "
                f"{_first_beyond(values)}."
            )
    return values


def as_modalities(arrays, source):
    """Arrays by modality as `(N, ...)` of equally many rows, none empty.

    Their dtype stays. A vector `(N,)` is a modality of one feature, `(N, 1)`.

    Raises:
        DataError: If there is no modality or no row, if a modality has no rows axis,
            no features, or values that are not finite numbers or NaN, or if the row
            counts differ.
    """
    inputs = {name: _modality(name, x, source) for name, x in arrays.items()}
    if not inputs:
        raise DataError(f"{source}: expected at least one modality; there is none.")
    counts = {name: len(x) for name, x in inputs.items()}
    if len(set(counts.values())) > 1:
        raise DataError(
            f"{source}: expected as many rows in every modality; received {counts}."
        )
    if not next(iter(counts.values())):
        raise DataError(f"{source}: expected at least one row; the data set is empty.")
    return inputs


def require_present(mask, source):
    """Raises a DataError where a row of the `(N, M)` mask has no modality at all."""
    nowhere = np.flatnonzero(~mask.any(axis=1))
    if len(nowhere):
        raise DataError(
            f"{source}: every row needs at least one modality; "
            f"none has a value in row {listed(nowhere)} (counted from 0)."
        )


def modality_mask(inputs: dict[str, np.ndarray]) -> np.ndarray:
    """`(B, M)` bool, False where all of a row of that modality is NaN.

    Whole numbers cannot be NaN, so they are always there.

    Args:
        inputs: `(B, ...)` arrays by modality; the columns of the mask are in the order
            of this dict.
    """
    present = [
        ~np.isnan(x).reshape(len(x), -1).all(axis=1)
        if np.asarray(x).dtype.kind == "f"
        else np.ones(len(x), bool)
        for x in inputs.values()
    ]
    return np.stack(present, axis=1)


def listed(items, limit=8):
    """The first `limit` items in words: `'3, 7 and 12 more'`."""
    items = [str(item) for item in items]
    more = f" and {len(items) - limit} more" if len(items) > limit else ""
    return ", ".join(items[:limit]) + more


def _first_beyond(values):
    for i, row in enumerate(np.atleast_1d(values)):
        for cell in np.ravel(row).astype(np.float64):
            if abs(cell) > LARGEST:
                return f"{cell} in row {i} (counted from 0)"


def _modality(name, values, source):
    if not name:
        raise DataError(f"{source}: expected a name for every modality; one has none.")
    if values.ndim == 0 or 0 in values.shape[1:]:
        raise DataError(
            f"{source}: expected {name!r} in shape (rows, ...) with at least one "
            f"feature; received shape {values.shape}."
        )
    values = as_numbers(name, values, source)
    return values[:, None] if values.ndim == 1 else values
