"""What every coalition of modalities is worth: its outputs, or its score."""

import numpy as np

from keras_fusion.attribution.masked_outputs import masked_outputs, modalities_of
from keras_fusion.common.errors import InputError
from keras_fusion.common.names import EDGES, MASK


def worth(model, inputs, coalitions, labels, measure, output) -> np.ndarray:
    """`(C, B, ...)` float64 outputs, or `(C, ...)` scores, of `(C, M)` coalitions."""
    if (labels is None) != (measure is None):
        raise InputError(
            "A score needs both `labels` and a `measure` of them and the outputs; "
            f"received only {'`measure`' if labels is None else '`labels`'}."
        )
    names = modalities_of(model, inputs)
    present = presence_of(inputs, names)  # (B, M)
    masks = coalitions[:, None, :] & present
    outputs = masked_outputs(model, inputs, masks, output)
    if measure is None:
        return outputs.astype(np.float64)
    return np.array([measure(labels, x) for x in outputs], np.float64)


def presence_of(inputs, names) -> np.ndarray:
    """`(B, M)` bool: the `modality_mask` among the inputs, or that all is there.

    Raises:
        ValueError: If the modalities differ in their rows, or the mask does not fit.
    """
    rows = {name: len(x) for name, x in inputs.items() if name not in EDGES}
    if len({*rows.values()}) != 1:
        raise InputError(f"Expected as many rows of every modality; received {rows}.")
    (count,) = {*rows.values()}
    if MASK not in inputs:
        return np.ones((count, len(names)), bool)
    present = np.asarray(inputs[MASK]).astype(bool)
    if present.shape[1:] != (len(names),):
        raise InputError(
            f"Expected {MASK} of shape (B, {len(names)}), a column for each of "
            f"{list(names)}; received {present.shape}."
        )
    return present
