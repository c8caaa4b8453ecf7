"""Whether what was written gives the model's own numbers."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from keras import ops

from keras_fusion.errors import InputError
from keras_fusion.export import forms
from keras_fusion.export.reading import (
    CLASSES,
    Arrays,
    as_array,
    check_inputs,
    named_classes,
)
from keras_fusion.export.signatures import Signature
from keras_fusion.names import DEFAULT, EDGES, MASKED

TOLERANCE = 1e-5
_HALF = {"float16": 2e-2, "bfloat16": 1e-1}
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


def verified(
    cases: list[Case],
    answers: list[tuple[str, Arrays]],
    formats: Sequence[str] = (),
    labels: list[str] | None = None,
    output: str | None = None,
) -> dict:
    """What the manifest says of the comparison.

    Args:
        cases: What was asked.
        answers: What each form answered, as `forms.answers` gives it.
        formats: The forms besides the SavedModel.
        labels: One per class.
        output: The output that `classes` is made from, or None.

    Raises:
        ValueError: If anything differs.
    """
    largest = {}
    questions = forms.questions([case.signature for case in cases], formats)
    for (form, i), (_, received) in zip(questions, answers, strict=True):
        where = f"{cases[i].signature} of the reloaded {form}"
        if output in received:
            check_classes(received, output, labels)
            received = {n: x for n, x in received.items() if n != CLASSES}
        difference = compare(cases[i].expected, received, where)
        largest[form] = max(largest.get(form, 0.0), difference)
    return {
        "tolerance": TOLERANCE,
        "relative_to": "the largest number of the output, or 1 if that is smaller",
        "largest_difference": largest,
        "cases": len(cases),
    }


def check_twin(given: dict[str, Signature], dtype: str, cases: list[Case]) -> None:
    """Raises a ValueError unless float32 gives a half-precision model's numbers.

    Args:
        given: The signatures of the model as it was given.
        dtype: That it computes in, whose rounding is allowed for.
        cases: Of its twin in float32.
    """
    for case in cases:
        answered = given[case.signature].answer(_tensors(case.inputs))
        expected = {name: ops.convert_to_numpy(x) for name, x in answered.items()}
        where = f"{case.signature} of the model in float32 in place of {dtype}"
        compare(expected, case.expected, where, _HALF[dtype])


def check_trained(
    signature: Signature, samples: Arrays, trained: Arrays, dtype: str | None
) -> None:
    """Raises a ValueError unless the model gives what it gave when it was trained.

    Args:
        signature: The one to ask: the masked one where a mask goes with the samples.
        samples: What `trained` is the answer to, as it is: a model of ours takes NaN
            for what is absent.
        trained: Outputs by name, for as many of the first samples as they have rows;
            outputs that the model has no more are passed over.
        dtype: That the model computes in, if it is half precision.
    """
    rows = len(next(iter(trained.values())))
    inputs = {name: np.asarray(samples[name])[:rows] for name in signature.inputs}
    answered = signature.answer(_tensors(inputs))
    found = {name: as_array(ops.convert_to_numpy(x)) for name, x in answered.items()}
    names = trained.keys() & found.keys()
    if not names or len(next(iter(inputs.values()))) != rows:
        raise InputError(
            f"Expected what the trained model answers to the samples, an output of "
            f"{list(found)} with a row for each; received "
            f"{ {name: x.shape for name, x in trained.items()} }."
        )
    expected = {name: trained[name] for name in names}
    received = {name: found[name] for name in names}
    where = "the model that is exported, asked what it was asked after its training"
    compare(expected, received, where, _HALF.get(dtype, TOLERANCE))


def compare(
    expected: Arrays, received: Arrays, where: str, tolerance: float = TOLERANCE
) -> float:
    """The largest difference between any two numbers.

    It is relative to the largest finite number of the output that is expected, or to 1
    where that is smaller. Infinities that are equal do not differ.

    Args:
        expected: The model's own outputs by name.
        received: What the written form answers.
        where: What was asked, for the message.
        tolerance: That is allowed.

    Raises:
        ValueError: If names or shapes differ, or a number by more than `tolerance`.
    """
    if set(received) != set(expected):
        raise InputError(
            f"{where}: expected the outputs {list(expected)}; it has {list(received)}."
        )
    largest = 0.0
    for name, numbers in expected.items():
        difference = _difference(numbers, received[name])
        if not difference <= tolerance:  # so that NaN is a difference too
            raise InputError(
                f"{where}: {name!r} differs from the model's by {difference:.1e}, more "
                f"than {tolerance}."
            )
        largest = max(largest, float(difference))
    return largest


def check_classes(received: Arrays, output: str, labels: list[str]) -> None:
    """Raises a ValueError unless `classes` names the largest numbers of `output`."""
    expected = named_classes(received[output], labels)
    if received[CLASSES].tolist() != expected:
        raise InputError(
            f"{CLASSES!r} is {received[CLASSES].tolist()} where {output!r} says "
            f"{expected}."
        )


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
            for name, x in signature.answer(_tensors(inputs)).items()
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


def _tensors(arrays):
    return {name: ops.convert_to_tensor(x) for name, x in arrays.items()}


def _difference(expected, received):
    if expected.shape != received.shape:
        return math.inf
    largest = np.abs(expected).max(initial=1.0, where=np.isfinite(expected))
    with np.errstate(invalid="ignore"):  # of infinities, one from the other
        apart = np.where(expected == received, 0.0, np.abs(expected - received))
    return apart.max(initial=0.0) / largest
