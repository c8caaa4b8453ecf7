"""Every input that a signature takes, made of those that are there."""

import numpy as np

from keras_fusion.common.errors import InputError
from keras_fusion.common.names import DEFAULT, EDGES, MASKED, safe_names
from keras_fusion.serving.description import PRESENT, Described


def signature_for(
    given: set[str], signatures: dict[str, Described], signature: str = DEFAULT
) -> str:
    """The name of the signature that takes what is given.

    Args:
        given: Names of inputs, as the signatures have them.
        signatures: Those of the model.
        signature: Which to ask; of `serving_default` and `embedding` its masked form
            where something is absent or something is said to be.

    Raises:
        ValueError: If there is no such signature.
    """
    if signature not in signatures:
        raise InputError(f"No signature {signature!r}: there are {sorted(signatures)}.")
    masked = MASKED.get(signature)
    if masked in signatures and given != signatures[signature].inputs.keys():
        return masked
    return signature


def complete(
    inputs: dict[str, np.ndarray],
    signatures: dict[str, Described],
    signature: str = DEFAULT,
) -> tuple[str, dict[str, np.ndarray]]:
    """The signature to ask and all of its inputs, of its dtypes.

    Absent modalities become zeros, and `NAME_present` says so.

    Args:
        inputs: `(B, ...)` arrays by name, the signature's or the person's own.
        signatures: Those of the model.
        signature: See `signature_for`.

    Raises:
        ValueError: If the inputs do not fit, or the model takes no absent ones.
    """
    inputs = spelled(inputs, signatures.get(signature))
    name = signature_for(set(inputs), signatures, signature)
    expected, flags = signatures[name].inputs, signatures[name].flags
    check_names(name, set(inputs), set(expected))
    arrays = {n: _of_dtype(n, x, expected[n].dtype) for n, x in inputs.items()}
    if arrays.keys() == expected.keys():
        return name, arrays
    sizes = {n: len(x) for n, x in arrays.items() if n not in EDGES}
    if len(set(sizes.values())) > 1:
        raise InputError(f"Inputs must have one batch size; received {sizes}.")
    batch = [*sizes.values()][:1]
    for flag in flags - arrays.keys():
        arrays[flag] = np.full(batch, flag.removesuffix(PRESENT) in inputs)
    missing = expected.keys() - arrays.keys()
    # What no flag says to be absent in every row must be there.
    if not batch or any(np.any(arrays.get(f"{n}{PRESENT}", True)) for n in missing):
        raise InputError(
            f"{name} takes {sorted(expected)}; missing are {sorted(missing)}."
        )
    for n in missing:
        rest = [size or 1 for size in expected[n].shape[1:]]
        arrays[n] = np.zeros(batch + rest, expected[n].dtype)
    return name, arrays


def spelled(inputs: dict, description: Described | None) -> dict:
    """The inputs by the names of a signature, which spells some as it must."""
    known = description.inputs if description else {}
    return {
        name if name in known else safe_names([name])[name]: x
        for name, x in inputs.items()
    }


def check_names(signature: str, given: set[str], expected: set[str]) -> None:
    """Raises a ValueError for a name that a signature does not take."""
    if given - expected:
        raise InputError(
            f"{signature} takes {sorted(expected)}; unknown are "
            f"{sorted(given - expected)}."
        )


def _of_dtype(name, x, dtype):
    x = np.asarray(x)
    if not dtype.hasobject and x.size and not np.can_cast(x.dtype, dtype, "same_kind"):
        raise InputError(f"Input {name!r} takes {dtype}; received {x.dtype}.")
    with np.errstate(over="ignore"):
        cast = x.astype(dtype)
    if dtype.kind == "f" and np.isinf(cast).any():
        row = np.argwhere(np.isinf(cast))[0][0] if cast.ndim else 0
        raise InputError(
            f"Input {name!r} has a number in row {row} that is infinite as {dtype}. "
            "Expected finite numbers, or NaN for what is missing."
        )
    return cast
