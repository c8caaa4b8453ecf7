"""Whether what was written gives the model's own numbers."""

import math
from collections.abc import Sequence

import numpy as np
from keras import ops

from keras_fusion.common.errors import InputError
from keras_fusion.common.names import CONTRIBUTIONS, MEDIAN
from keras_fusion.export import forms
from keras_fusion.export.cases import Case, tensors
from keras_fusion.export.reading import CLASSES, Arrays, as_array, named_classes
from keras_fusion.export.signatures import Signature

TOLERANCE = 1e-5
_HALF = {"float16": 2e-2, "bfloat16": 1e-1}


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
        if output in received and cases[i].signature != CONTRIBUTIONS:
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
        answered = given[case.signature].answer(tensors(case.inputs))
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
    answered = signature.answer(tensors(inputs))
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
    """Raises a ValueError unless `classes` names the largest numbers of `output`.

    Of classes in an order it has to name those of `median_class`.
    """
    expected = named_classes(received[output], labels, received.get(MEDIAN))
    if received[CLASSES].tolist() != expected:
        raise InputError(
            f"{CLASSES!r} is {received[CLASSES].tolist()} where {output!r} says "
            f"{expected}."
        )


def _difference(expected, received):
    if expected.shape != received.shape:
        return math.inf
    largest = np.abs(expected).max(initial=1.0, where=np.isfinite(expected))
    with np.errstate(invalid="ignore"):  # of infinities, one from the other
        apart = np.where(expected == received, 0.0, np.abs(expected - received))
    return apart.max(initial=0.0) / largest
