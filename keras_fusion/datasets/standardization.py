"""Scaling of all modalities by the numbers of the training rows."""

import numpy as np

from keras_fusion.datasets.arrays import listed, modality_mask
from keras_fusion.datasets.errors import DataError
from keras_fusion.datasets.scaled_rows import ScaledRows
from keras_fusion.datasets.scaling import Scale, chunks, fit


def measure(
    inputs: dict[str, np.ndarray],
    rows: np.ndarray | None = None,
    scale: dict[str, str] | None = None,
) -> dict[str, Scale]:
    """The scale of every modality.

    Args:
        inputs: `(N, ...)` arrays by modality, NaN where a number is missing.
        rows: Row numbers to learn from; None is all.
        scale: One of `SCALES` by modality; `"feature"` where nothing is said.

    Raises:
        DataError: If a feature is NaN in every one of these rows.
    """
    scale = scale or {}
    statistics = {}
    for name, values in inputs.items():
        these = np.arange(len(values)) if rows is None else rows
        _require_numbers(name, values, these)
        statistics[name] = fit(values, these, scale.get(name, "feature"))
    return statistics


def standardize(
    inputs: dict[str, np.ndarray], statistics: dict[str, Scale]
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Raw modalities -> what a model takes.

    A row that is all NaN in a modality stays NaN there: it is absent. Where only some
    of a row are NaN, the training mean stands in, which is 0 after standardizing.

    Args:
        inputs: `(B, ...)` arrays by modality, in any order. A modality that is absent
            in every row may come in any shape.
        statistics: `Dataset.statistics`.

    Returns:
        `(B, ...)` arrays in the order of `statistics`, float32, or of their own dtype
        where whole numbers are not scaled; and a sentence for every modality in which
        cells were imputed.

    Raises:
        DataError: If modalities are missing or unknown, or of another shape.
    """
    if set(inputs) != set(statistics):
        raise DataError(
            f"Expected the modalities {', '.join(statistics)}; "
            f"received {', '.join(inputs)}."
        )
    present = dict(zip(inputs, modality_mask(inputs).T, strict=True))
    scaled, notes = {}, []
    for name, scale in statistics.items():
        values = _in_shape(name, inputs[name], present[name], scale)
        rows = np.arange(len(values))
        made, count = scaled_rows(values, rows, present[name], scale)
        scaled[name] = np.asarray(made)
        notes += note_imputed(name, count)
    return scaled, tuple(notes)


def scaled_rows(
    values: np.ndarray, rows: np.ndarray, present: np.ndarray, scale: Scale
) -> tuple[np.ndarray | ScaledRows, int]:
    """Some rows of a modality as a model takes them, and how many cells were imputed.

    Args:
        values: `(N, ...)` raw.
        rows: Row numbers `(B,)`.
        present: `(N,)` bool; cells of rows that are not there are not imputed.
        scale: That of the modality.
    """
    if scale.keeps(values.dtype):
        return values[rows], 0
    made = ScaledRows(values, rows, scale, present)
    return (made if _is_lazy(values) else np.asarray(made)), made.imputed()


def _is_lazy(values):
    """Whether a copy in float32 would be much larger, or one more of large rows."""
    small = values.dtype.kind in "biu" and values.dtype.itemsize < 4
    return small or values.ndim > 3 and values.dtype.itemsize <= 4


def note_imputed(name: str, imputed: int) -> list[str]:
    """A sentence that says so, or none."""
    if not imputed:
        return []
    cells = "NaN cell" if imputed == 1 else "NaN cells"
    return [f"imputed {imputed} {cells} of modality {name!r} with the training mean"]


def _require_numbers(name, values, rows):
    """Raises a DataError where a feature has no number in any of these rows."""
    if values.dtype.kind != "f":
        return
    axes = (0,) if values.ndim < 4 else tuple(range(values.ndim - 1))
    empty = np.array(True)
    for part in chunks((len(rows), *values.shape[1:])):
        empty = empty & np.isnan(values[rows[part]]).all(axis=axes)
    found = np.argwhere(empty)
    if len(found):
        features = listed(",".join(map(str, index)) for index in found)
        raise DataError(
            f"modality {name!r} is NaN in every training row at feature {features} "
            "(counted from 0)"
        )


def _in_shape(name, values, present, scale):
    if not present.any():
        return np.full((len(values), *scale.mean.shape), np.nan)
    if values.shape[1:] != scale.mean.shape:
        raise DataError(
            f"Expected modality {name!r} in shape {('rows', *scale.mean.shape)}; "
            f"received {values.shape}."
        )
    return values
