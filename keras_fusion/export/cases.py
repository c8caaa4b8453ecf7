"""What is asked of a model and of every form that is written of it."""

from typing import NamedTuple

import numpy as np
from keras import ops

from keras_fusion.common.errors import InputError
from keras_fusion.common.names import DEFAULT, EDGES, MASKED
from keras_fusion.export.reading import Arrays, as_array, check_inputs
from keras_fusion.export.signatures import Signature

_BATCH = 3
_TEXTS = "", "a", "two words", "größer als 3 €"
_FREE_SIZES = (16, 5)  # of axes other than the batch that have no fixed size


class Case(NamedTuple):
    """One question to a signature.

    Attributes:
        signature: Its name.
        inputs: `(B, ...)` arrays by input name.
        expected: The model's own outputs, float32 arrays by name.
    """

    signature: str
    inputs: Arrays
    expected: Arrays


def cases_for(
    signatures: dict[str, Signature],
    samples: Arrays | None = None,
    batches: tuple[int, ...] = (),
) -> list[Case]:
    """Questions to every signature, on random inputs and on real ones if there are.

    Args:
        signatures: From `signatures_of`.
        samples: Real `(B, ...)` arrays by input name; `*_present` may be left out.
        batches: Batch sizes to ask with besides.

    Raises:
        ValueError: If the samples do not fit the model's inputs or have no row.
    """
    inputs, flags = _inputs(signatures)
    rng = np.random.default_rng(0)
    free = any(None in x.shape[1:] for x in inputs.values())
    rows = max(_BATCH, *batches) if batches else _BATCH
    sizes = _FREE_SIZES[: 2 if free else 1]
    drawn = [_draw(inputs, rows, s, rng) | _presence(flags, rows, rng) for s in sizes]
    cases = []
    if samples is not None:  # first, since they are the best to warm a server with
        cases += _asked(signatures, _completed(samples, inputs, flags, rng))
    cases += _asked(signatures, drawn[0], (*batches, _BATCH))
    for arrays in drawn[1:]:
        cases += _asked(signatures, arrays)
    return cases


def tensors(arrays: Arrays) -> dict:
    """The arrays as tensors of the backend."""
    return {name: ops.convert_to_tensor(x) for name, x in arrays.items()}


def _inputs(signatures):
    """Every input but the flags that say what is present, and these flags' names."""
    masked = signatures.get(MASKED[DEFAULT], signatures[DEFAULT]).inputs
    inputs = signatures[DEFAULT].inputs
    return inputs, [name for name in masked if name not in inputs]


def _asked(signatures, arrays, batches=()):
    cases = []
    rows = len(next(iter(arrays.values())))
    for key, signature in signatures.items():
        inputs = {name: arrays[name] for name in signature.inputs}
        if inputs.keys() != arrays.keys():
            # What is absent may hold NaN; without the flags nothing is absent.
            inputs = {n: _without_nan(x) for n, x in inputs.items()}
        expected = {
            name: as_array(ops.convert_to_numpy(x))
            for name, x in signature.answer(tensors(inputs)).items()
        }
        cases += [
            Case(key, _first(inputs, n), _first(expected, n))
            for n in sorted({*batches} or {rows})
        ]
    return cases


def _completed(samples, inputs, flags, rng):
    given = {n: x.shape for n, x in inputs.items()}
    given |= {name: (None,) for name in flags if set(flags) & samples.keys()}
    check_inputs(samples, given)
    rows = next(len(x) for name, x in samples.items() if name not in EDGES)
    if not rows:
        raise InputError("Expected samples of at least one row; received none.")
    samples = _presence(flags, rows, rng) | samples
    dtypes = {n: str if x.dtype == "string" else x.dtype for n, x in inputs.items()}
    return {name: np.asarray(x, dtypes.get(name, bool)) for name, x in samples.items()}


def _draw(inputs, rows, free_size, rng):
    drawn = {}
    for name, x in inputs.items():
        first = free_size if name in EDGES else rows
        shape = (x.shape[0] or first, *(size or free_size for size in x.shape[1:]))
        if x.dtype == "string":
            drawn[name] = rng.choice(_TEXTS, shape)
        elif x.dtype.startswith(("int", "uint", "bool")):
            # small enough for every vocabulary
            drawn[name] = rng.integers(0, 2, shape).astype(x.dtype)
        else:
            drawn[name] = rng.standard_normal(shape).astype(x.dtype)
    return drawn


def _presence(flags, rows, rng):
    """Flags at random, so that each row has a modality that is present."""
    if not flags:
        return {}
    present = rng.random((rows, len(flags))) < 0.5
    present[np.arange(rows), rng.integers(0, len(flags), rows)] = True
    return dict(zip(flags, present.T))


def _without_nan(x):
    return np.nan_to_num(x) if x.dtype.kind == "f" else x


def _first(arrays, rows):
    return {name: x if name in EDGES else x[:rows] for name, x in arrays.items()}
