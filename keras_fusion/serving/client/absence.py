"""Every input that a signature takes, made of those that are there."""

import numpy as np

from keras_fusion.names import DEFAULT, EDGES, MASK, MASKED
from keras_fusion.serving.description import Described


def complete(
    inputs: dict[str, np.ndarray],
    signatures: dict[str, Described],
    signature: str = DEFAULT,
) -> tuple[str, dict[str, np.ndarray]]:
    """The signature to ask and all of its inputs, of its dtypes.

    Absent modalities become zeros with False in their column of `modality_mask`.

    Args:
        inputs: `(B, ...)` arrays by name.
        signatures: Those of the model.
        signature: Which to ask; of `serving_default` and `embedding` its masked form
            where something is absent or the mask is given.

    Raises:
        ValueError: If the inputs do not fit, or the model takes no absent ones.
    """
    if signature not in signatures:
        raise ValueError(f"No signature {signature!r}: there are {sorted(signatures)}.")
    name, masked = signature, MASKED.get(signature)
    absent = signatures[name].inputs.keys() - inputs.keys()
    if masked in signatures and (absent or MASK in inputs):
        name = masked
    expected = signatures[name].inputs
    unknown = sorted(inputs.keys() - expected.keys())
    if unknown:
        raise ValueError(f"{name} takes {sorted(expected)}; unknown are {unknown}.")
    arrays = {n: _of_dtype(n, x, expected[n].dtype) for n, x in inputs.items()}
    missing = expected.keys() - inputs.keys()
    if not missing:
        return name, arrays
    if MASK not in missing or missing & EDGES or not arrays.keys() - EDGES:
        raise ValueError(
            f"{name} takes {sorted(expected)}; missing are {sorted(missing)}"
            + (", and with the mask given all are needed." if MASK in inputs else ".")
        )
    return name, arrays | _fillers(arrays, signatures[name])


def _fillers(arrays, description):
    sizes = {name: len(x) for name, x in arrays.items() if name not in EDGES}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"Inputs must have one batch size; received {sizes}.")
    rows = next(iter(sizes.values()))
    modalities = description.modalities
    if set(modalities) != description.inputs.keys() - {MASK} - EDGES:
        raise ValueError(
            f"This model does not say which column of {MASK!r} is which modality: "
            "send every input and the mask, or export the model anew."
        )
    filled = {
        name: np.zeros([rows, *(size or 1 for size in tensor.shape[1:])], tensor.dtype)
        for name, tensor in description.inputs.items()
        if name not in arrays and name != MASK
    }
    present = np.array([name in arrays for name in modalities])
    return filled | {MASK: np.tile(present, (rows, 1))}


def _of_dtype(name, x, dtype):
    x = np.asarray(x)
    if dtype.hasobject:
        return x.astype(object)
    same = x.dtype == dtype or x.size == 0
    if not same and not np.can_cast(x.dtype, dtype, "same_kind"):
        raise ValueError(f"Input {name!r} takes {dtype}; received {x.dtype}.")
    return x.astype(dtype)
