"""Whether a reloaded SavedModel gives the model's own numbers."""

import math

import numpy as np
from keras import ops

from keras_fusion.export.reading import (
    DEFAULT,
    EDGES,
    MASK,
    Arrays,
    check_inputs,
)
from keras_fusion.export.signatures import Signature

TOLERANCE = 1e-5
_BATCH = 3
_FREE_SIZE = 16  # of axes other than the batch that have no fixed size


def sample_inputs(
    signatures: dict[str, Signature], samples: Arrays | None
) -> dict[str, Arrays]:
    """The arrays to ask each signature with.

    Args:
        samples: `(B, ...)` arrays by input name, where `modality_mask` may be left
            out; None draws every input.

    Raises:
        ValueError: If the samples do not fit the model's inputs or have no row.
    """
    inputs = list(signatures.values())[-1].inputs  # the signature that takes them all
    rng = np.random.default_rng(0)
    if samples is None:
        samples = {n: _draw(n, x, rng) for n, x in inputs.items() if n != MASK}
    given = {n: x.shape for n, x in inputs.items() if n in samples or n != MASK}
    check_inputs(samples, given)
    rows = next(len(x) for name, x in samples.items() if name not in EDGES)
    if not rows:
        raise ValueError("Expected samples of at least one row; received none.")
    if given.keys() != inputs.keys():
        samples = {**samples, MASK: _draw_mask(rows, inputs[MASK].shape[1], rng)}
    arrays = {name: np.asarray(x, inputs[name].dtype) for name, x in samples.items()}
    asked = {
        key: {name: arrays[name] for name in signature.inputs}
        for key, signature in signatures.items()
    }
    if MASK in inputs:
        # What is absent may hold NaN; without the mask nothing is absent.
        asked[DEFAULT] = {n: np.nan_to_num(x) for n, x in asked[DEFAULT].items()}
    return asked


def answers(signatures: dict[str, Signature], asked: dict[str, Arrays]):
    """The model's own numbers, float32 arrays by signature and output."""
    return {
        key: {
            name: ops.convert_to_numpy(x)
            for name, x in signatures[key].answer(_tensors(inputs)).items()
        }
        for key, inputs in asked.items()
    }


def compare(expected: dict[str, Arrays], received: dict[str, Arrays]) -> None:
    """Raises a ValueError where any number differs by more than `TOLERANCE`."""
    for key, outputs in expected.items():
        if set(received[key]) != set(outputs):
            raise ValueError(
                f"{key}: expected the outputs {list(outputs)}; the SavedModel has "
                f"{list(received[key])}."
            )
        for name, numbers in outputs.items():
            difference = _difference(numbers, received[key][name])
            if not difference <= TOLERANCE:  # so that NaN is a difference too
                raise ValueError(
                    f"{key}: {name!r} of the reloaded SavedModel differs from the "
                    f"model's by {difference:.1e}, more than {TOLERANCE}."
                )


def _draw(name, x, rng):
    first = _FREE_SIZE if name in EDGES else _BATCH
    shape = (x.shape[0] or first, *(size or _FREE_SIZE for size in x.shape[1:]))
    if x.dtype.startswith(("int", "uint", "bool")):
        return rng.integers(0, 2, shape)  # small enough for every vocabulary
    return rng.standard_normal(shape)


def _draw_mask(rows, modalities, rng):
    mask = rng.random((rows, modalities)) < 0.5
    mask[np.arange(rows), rng.integers(0, modalities, rows)] = True
    return mask


def _tensors(arrays):
    return {name: ops.convert_to_tensor(x) for name, x in arrays.items()}


def _difference(expected, received):
    if expected.shape != received.shape:
        return math.inf
    return np.abs(expected - received).max()
