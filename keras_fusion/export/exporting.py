"""Any `keras.Model` on any backend -> a new version of a SavedModel."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np

from keras_fusion.common.catalogue import find
from keras_fusion.common.errors import InputError
from keras_fusion.common.names import CONTRIBUTIONS, DEFAULT, MASK, MASKED, RAW
from keras_fusion.export import (
    arguments,
    assets,
    child,
    forms,
    manifest,
    saved_model,
    verification,
    warmup,
)
from keras_fusion.export.cases import Case, cases_for
from keras_fusion.export.contributions import contributions_of
from keras_fusion.export.loading import load
from keras_fusion.export.preparing import (
    config_of,
    custom_modules,
    functional,
    half_precision,
    prepared,
)
from keras_fusion.export.raw_columns import COLUMNS, RawColumns
from keras_fusion.export.reading import Arrays, require
from keras_fusion.export.signatures import (
    classes_output,
    signature_arrays,
    signatures_of,
)
from keras_fusion.export.versions import put


def export(
    model: keras.Model | str | Path,
    folder: str | Path,
    *,
    version: int | None = None,
    samples: Arrays | None = None,
    trained: Arrays | None = None,
    labels: Sequence[str] | None = None,
    columns: dict[str, Sequence[str]] | None = None,
    not_inputs: dict | None = None,
    raw: RawColumns | None = None,
    contributions: bool = False,
    formats: Sequence[str] = (),
    warmup_batches: Sequence[int] = (),
    xla_batches: Sequence[int] = (),
    about: dict | None = None,
) -> Path:
    """Writes `folder/<version>`, a SavedModel that TensorFlow Serving takes as it is.

    The signature `serving_default` takes the model's inputs by name, B free, and gives
    float32 outputs by name: the keys of a dict, else the names of the output layers;
    with `labels` also `classes` (B,), text, empty where a row's numbers are not finite.
    A name that a SavedModel cannot hold goes by `keras_fusion.common.names.safe_names`.
    `embedding` gives what the head takes. Of a model with an input `modality_mask`
    (B, M) they take every other input and all modalities are present; `serving_masked`
    and `embedding_masked` take `NAME_present` (B,) bool for each modality too.

    What was written is loaded in a fresh process and must give the model's own numbers
    on random inputs and on `samples`, within 1e-5 of the largest number of an output,
    or of 1 if that is smaller; those of a half-precision model, whose export computes
    in float32, up to the rounding of its dtype. It appears whole or not at all, and
    no version is ever overwritten. `manifest.json` says what it is. From JAX and
    PyTorch a process on the TensorFlow backend writes it.

    Args:
        model: Any model that is built, or a `.keras` file; see
            `keras_fusion.export.preparing`.
        folder: `saved_models/<name>`; made where it does not exist.
        version: A free number; None is the highest one plus one.
        samples: Real `(B, ...)` arrays by input name to compare on and to warm up with,
            `modality_mask` optional.
        trained: What the model answered to `samples`, or to the first of them, when it
            had been trained, by output name: a file that lost something on the way is
            refused.
        labels: One name per class, in the graph and in `assets.extra/labels.json`.
        columns: By input that is made of columns, their names in its order: whoever
            reads rows for this model finds them in `input_columns`.
        not_inputs: Columns of a person's files that the model knows and does not take:
            `label`, a name, and `left_out`, names.
        raw: Gives the signature `serving_raw`, of raw columns, and its rows to compare
            on: those of `samples`, which are needed then, `modality_mask` included.
        contributions: Gives the signature `contributions`, which takes what
            `serving_masked` takes: for each output `(B, ...)` the Shapley values
            `(B, M, ...)` of the modalities. A row costs 2^M rows, M at most 8.
        formats: `"onnx"` and `"litert"` write `model.onnx` and `model.tflite` beside
            the SavedModel, each tried in its own runtime. An ONNX file has one
            signature, the one of the most inputs.
        warmup_batches: Batch sizes that TensorFlow Serving asks for as it loads.
        xla_batches: Batch sizes to compile by XLA (and to warm up); a batch is padded
            to the next of them. `tensorflow_model_server` must be started with
            `--xla_cpu_compilation_enabled=true`, else every request fails.
        about: `recipe` and `metrics` for the manifest, as JSON knows them.

    Returns:
        The version folder.

    Raises:
        ValueError: If the model, the labels or the samples do not fit, the version
            exists, the folder cannot be written to, a format cannot hold the model, or
            the numbers differ.
        RuntimeError: If TensorFlow cannot load the model, or what it wrote.
        ImportError: If TensorFlow, or what a format needs, is not installed.
    """
    formats = tuple(dict.fromkeys(formats))
    check_installed(formats)
    xla_batches = arguments.sizes("xla_batches", xla_batches)
    warmup_batches = arguments.sizes("warmup_batches", {*warmup_batches, *xla_batches})
    if warmup_batches:
        warmup.check_installed()
    about = arguments.about(about)
    given = load(model) if isinstance(model, str | Path) else model
    model = prepared(given)
    labels = None if labels is None else [str(x) for x in labels]
    output = classes_output(model, labels) if labels else None
    columns = arguments.columns(model, columns or {})
    if warmup_batches:
        saved_model.check_batches(model, xla=bool(xla_batches))
    arguments.check_text(model)
    cases = _cases(given, model, samples, trained, xla_batches, raw, contributions)
    wanted = forms.Wanted(
        name=Path(folder).name,
        labels=labels,
        formats=formats,
        xla_batches=xla_batches,
        warmup_batches=warmup_batches,
        raw=raw and (raw.module, str(raw.file)),
        contributions=contributions,
    )

    def fill(version):
        with tempfile.TemporaryDirectory() as scratch:
            scratch = Path(scratch)
            asked = scratch / "cases.npz"
            child.save_groups(asked, [(case.signature, case.inputs) for case in cases])
            _write(model, version, replace(wanted, cases=str(asked)), scratch)
            assets.write(model, version, labels, columns, not_inputs)
            if raw:
                shutil.copyfile(raw.file, version / COLUMNS)
            answers, specs = _ask_afresh(version, asked, formats, scratch)
        verified = verification.verified(cases, answers, formats, labels, output)
        own = {"signatures": specs, "verified": verified, "columns": columns}
        manifest.write(version, assets.facts(model) | about | own)

    return put(fill, folder, version)


def check_installed(formats: Sequence[str] = ()) -> None:
    """Raises an ImportError that says what an export to these formats still needs."""
    require("tensorflow", "SavedModels are written and read by TensorFlow")
    for name in formats:
        find("format", name, forms.FORMATS).check_installed()


def _cases(given, model, samples, trained, xla_batches, raw, contributions):
    """What every form will be asked; the model's own answers are checked as they come.

    Args:
        given: The model as it came.
        model: The same as it is exported.
        samples, trained, xla_batches, raw, contributions: As for `export`.
    """
    signatures, half = signatures_of(model), half_precision(given)
    if contributions:
        signatures[CONTRIBUTIONS] = contributions_of(model)
    if samples is not None:
        samples = signature_arrays(model, samples)
    beyond = (*xla_batches, max(xla_batches) + 1) if xla_batches else ()
    cases = cases_for(signatures, samples, beyond)
    if trained is not None:
        masked = any(name.endswith("_present") for name in samples or ())
        asked = MASKED[DEFAULT] if masked else DEFAULT
        verification.check_trained(signatures[asked], samples, trained, half)
    if half:
        twin = [case for case in cases if case.signature != CONTRIBUTIONS]
        verification.check_twin(signatures_of(functional(given)), half, twin)
    return [*cases, _raw_case(cases, raw, samples)] if raw else cases


def _raw_case(cases, raw, samples):
    """The raw rows, and what the model itself answers to what is made of them."""
    # The samples are the first that is asked.
    case = next(case for case in cases if case.signature == MASKED[DEFAULT])
    present = [x for name, x in samples.items() if name.endswith("_present")]
    mask = np.stack(present, axis=1).astype(np.float32)
    return Case(RAW, raw.samples, case.expected | {MASK: mask})


def _write(model, folder, wanted, scratch):
    # Keras' own export from JAX and PyTorch cannot do every model of several inputs.
    if keras.backend.backend() == "tensorflow":
        return forms.write(model, folder, wanted)
    modules = custom_modules(config_of(model))
    if "__main__" in modules:
        raise InputError(
            "The model holds a class of the program itself, which the TensorFlow "
            "process cannot import: define it in a module and import that."
        )
    model.save(scratch / "model.keras")
    job = {
        "model": str(scratch / "model.keras"),
        "modules": sorted(modules),
        "folder": str(folder),
        "wanted": asdict(wanted),
    }
    child.run("write", job, scratch)


def _ask_afresh(folder, cases, formats, scratch):
    job = {
        "folder": str(folder),
        "cases": str(cases),
        "formats": formats,
        "answers": str(scratch / "answers.npz"),
        "specs": str(scratch / "specs.json"),
    }
    child.run("ask", job, scratch)
    return child.load_groups(job["answers"]), json.loads(Path(job["specs"]).read_text())
