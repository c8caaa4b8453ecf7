"""Zero mean and unit deviation, by the numbers of the training rows."""

import numpy as np

from keras_fusion.datasets.arrays import listed, modality_mask


def measure(inputs: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """`(mean, std)` of every feature over the rows, by modality.

    On maps and volumes a feature is a channel, whatever its position. NaN is ignored,
    and a feature that is constant gets a standard deviation of 1.

    Args:
        inputs: `(B, ...)` float32 arrays by modality.

    Returns:
        float64 arrays in the shape of one row.

    Raises:
        ValueError: If a feature is NaN in every row.
    """
    return {name: _moments(name, values) for name, values in inputs.items()}


def standardise(
    inputs: dict[str, np.ndarray],
    statistics: dict[str, tuple[np.ndarray, np.ndarray]],
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Raw modalities -> what a model takes.

    A row that is all NaN in a modality stays NaN there: it is absent. Where only some
    of a row are NaN, the training mean stands in, which is 0 after standardising.

    Args:
        inputs: `(B, ...)` arrays by modality, in any order. A modality that is absent
            in every row may come in any shape.
        statistics: `Dataset.statistics`.

    Returns:
        `(B, ...)` float32 arrays in the order of `statistics`, and a sentence for every
        modality in which cells were imputed.

    Raises:
        ValueError: If modalities are missing or unknown, or of another shape.
    """
    if set(inputs) != set(statistics):
        raise ValueError(
            f"Expected the modalities {', '.join(statistics)}; "
            f"received {', '.join(inputs)}."
        )
    present = modality_mask(inputs)
    present = dict(zip(inputs, present.T, strict=True))
    scaled, notes = {}, []
    for name, moments in statistics.items():
        scaled[name] = _scaled(name, inputs[name], present[name], *moments)
        imputed = _impute(scaled[name], present[name])
        if imputed:
            cells = "NaN cell" if imputed == 1 else "NaN cells"
            notes.append(
                f"imputed {imputed} {cells} of modality {name!r} with the training mean"
            )
    return scaled, tuple(notes)


def _moments(name, values):
    axes = 0 if values.ndim < 4 else tuple(range(values.ndim - 1))
    empty = np.argwhere(np.isnan(values).all(axis=axes))
    if len(empty):
        features = listed(",".join(map(str, index)) for index in empty)
        raise ValueError(
            f"modality {name!r} is NaN in every training row at feature {features} "
            "(counted from 0)"
        )
    mean = np.nanmean(values, axis=axes, dtype=np.float64)
    std = np.nanstd(values, axis=axes, dtype=np.float64)
    # Equal float32 numbers have no deviation at all when float64 adds them up.
    std = np.where(std > 0, std, 1.0)
    row = values.shape[1:]
    return np.broadcast_to(mean, row).copy(), np.broadcast_to(std, row).copy()


def _scaled(name, values, present, mean, std):
    if not present.any():
        return np.full((len(values), *mean.shape), np.nan, np.float32)
    if values.shape[1:] != mean.shape:
        raise ValueError(
            f"Expected modality {name!r} in shape {('rows', *mean.shape)}; "
            f"received {values.shape}."
        )
    return ((values - mean) / std).astype(np.float32)


def _impute(values, present):
    """Sets NaN to 0, in place, in the rows that are present; says how many."""
    cells = np.isnan(values)
    cells[~present] = False
    values[cells] = 0
    return int(cells.sum())
