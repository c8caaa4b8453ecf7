"""Arrays of any origin -> checked float32 arrays by modality."""

import numpy as np


def as_float32(name, values, source):
    """`values` as float32; a ValueError unless they are finite numbers or NaN."""
    if values.dtype.kind not in "biuf":
        raise ValueError(
            f"{source}: expected numbers in {name!r}; received {values.dtype} values."
        )
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
        values = values.astype(np.float32)
    if np.isinf(values).any():
        raise ValueError(
            f"{source}: expected finite float32 numbers in {name!r}; received Inf."
        )
    return values


def as_modalities(arrays, source):
    """Arrays by modality as float32 `(N, ...)`, of equally many rows, none empty.

    A vector `(N,)` is a modality of one feature, `(N, 1)`.

    Raises:
        ValueError: If there is no modality or no row, if a modality has no rows axis,
            no features, or values that are not finite numbers or NaN, if the row
            counts differ, or if some row has no modality at all.
    """
    inputs = {name: _modality(name, x, source) for name, x in arrays.items()}
    if not inputs:
        raise ValueError(f"{source}: expected at least one modality; there is none.")
    counts = {name: len(x) for name, x in inputs.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(
            f"{source}: expected as many rows in every modality; received {counts}."
        )
    if not next(iter(counts.values())):
        raise ValueError(f"{source}: expected at least one row; the data set is empty.")
    nowhere = np.flatnonzero(~modality_mask(inputs).any(axis=1))
    if len(nowhere):
        raise ValueError(
            f"{source}: every row needs at least one modality; "
            f"all are NaN in row {listed(nowhere)} (counted from 0)."
        )
    return inputs


def modality_mask(inputs: dict[str, np.ndarray]) -> np.ndarray:
    """`(B, M)` bool, False where all of a row of that modality is NaN.

    Args:
        inputs: `(B, ...)` arrays by modality; the columns of the mask are in the order
            of this dict.
    """
    absent = [np.isnan(x).reshape(len(x), -1).all(axis=1) for x in inputs.values()]
    return ~np.stack(absent, axis=1)


def listed(items, limit=8):
    """The first `limit` items in words: `'3, 7 and 12 more'`."""
    items = [str(item) for item in items]
    more = f" and {len(items) - limit} more" if len(items) > limit else ""
    return ", ".join(items[:limit]) + more


def _modality(name, values, source):
    if not name:
        raise ValueError(f"{source}: expected a name for every modality; one has none.")
    if values.ndim == 0 or 0 in values.shape[1:]:
        raise ValueError(
            f"{source}: expected {name!r} in shape (rows, ...) with at least one "
            f"feature; received shape {values.shape}."
        )
    values = as_float32(name, values, source)
    return values[:, None] if values.ndim == 1 else values
