"""The forms of one version: a SavedModel, and ONNX and LiteRT files where asked for."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import keras

from keras_fusion.export import litert, onnx, saved_model, warmup
from keras_fusion.export.child import load_groups
from keras_fusion.export.reading import Arrays, as_array, signatures

FORMATS = {"onnx": onnx, "litert": litert}
SAVED_MODEL = "saved_model"


@dataclass(frozen=True)
class Wanted:
    """What is written besides the model itself; JSON can hold it.

    Attributes:
        name: The model's name on a server.
        labels: One per class, or None.
        formats: Names of `FORMATS`.
        xla_batches: As in `saved_model.write`.
        warmup_batches: As in `warmup.write`.
        raw, contributions: As in `saved_model.write`.
        cases: The file of what is asked afterwards; its first inputs warm up.
    """

    name: str
    labels: list[str] | None = None
    formats: tuple[str, ...] = ()
    xla_batches: tuple[int, ...] = ()
    warmup_batches: tuple[int, ...] = ()
    raw: tuple[str, str] | None = None
    contributions: bool = False
    cases: str = ""


def write(model: keras.Model, folder: Path, wanted: Wanted) -> None:
    """Writes every form into `folder`; needs the TensorFlow backend."""
    saved_model.write(
        model,
        folder,
        labels=wanted.labels,
        xla_batches=wanted.xla_batches,
        raw=wanted.raw,
        contributions=wanted.contributions,
    )
    for name in wanted.formats:
        FORMATS[name].write(model, folder / FORMATS[name].FILE, wanted.labels)
    if wanted.warmup_batches:
        requests = {}
        for signature, inputs in load_groups(wanted.cases):
            requests.setdefault(signature, inputs)
        warmup.write(
            folder / warmup.WARMUP, wanted.name, requests, wanted.warmup_batches
        )


def questions(names: list[str], formats: Iterable[str]) -> list[tuple[str, int]]:
    """The form and the number of the case of every question, in their order.

    Args:
        names: The signature of every case.
        formats: Of `FORMATS`.
    """
    every = [(SAVED_MODEL, i) for i in range(len(names))]
    for form in formats:
        held = FORMATS[form].signatures(list(dict.fromkeys(names)))
        every += [(form, i) for i, name in enumerate(names) if name in held]
    return every


def answers(
    folder: Path, cases: list[tuple[str, Arrays]], formats: Iterable[str]
) -> tuple[list[tuple[str, Arrays]], dict]:
    """What each form answers to `questions`, in their order, and its signatures."""
    served = signatures(folder)
    forms = {SAVED_MODEL: served}
    forms |= {name: FORMATS[name].load(folder / FORMATS[name].FILE) for name in formats}
    given = []
    for form, i in questions([name for name, _ in cases], formats):
        signature, inputs = cases[i]
        outputs = forms[form][signature](inputs)
        given.append((form, {name: as_array(x) for name, x in outputs.items()}))
    return given, {name: signature.described() for name, signature in served.items()}
