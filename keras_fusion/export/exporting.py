"""Any `keras.Model` on any backend -> a new version of a SavedModel."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import keras

from keras_fusion.export import child, verification
from keras_fusion.export.mask_columns import name_mask_columns
from keras_fusion.export.reading import INPUTS, LABELS, MASK, Arrays, require_tensorflow
from keras_fusion.export.signatures import signatures_of
from keras_fusion.export.versions import put


def export(
    model: keras.Model | str | Path,
    folder: str | Path,
    *,
    version: int | None = None,
    samples: Arrays | None = None,
    labels: Sequence[str] | None = None,
) -> Path:
    """Writes `folder/<version>`, a SavedModel that TensorFlow Serving takes as it is.

    The signature `serving_default` takes the model's inputs by name, B free, and gives
    float32 outputs by name: the keys of a dict, else the names of the output layers.
    Of a model with an input `modality_mask` (B, M) it takes every other input and all
    modalities are present; a second one, `serving_masked`, takes the mask too.

    What was written is loaded in a fresh process and must give the model's own numbers
    within 1e-5, which a model that computes in float16 or bfloat16 does not reach. It
    appears whole or not at all, and no version is ever overwritten. From JAX and
    PyTorch a process on the TensorFlow backend writes it, which knows Keras' layers and
    those of this library.

    Args:
        model: A functional model with a dict of named inputs, or a `.keras` file.
        folder: `saved_models/<name>`; made where it does not exist.
        version: A free number; None is the highest one plus one.
        samples: `(B, ...)` arrays by input name to compare on, `modality_mask`
            optional; None draws three standard normal rows, of integers 0 or 1.
        labels: One name per class, kept in `assets.extra/labels.json`.

    Returns:
        The version folder.

    Raises:
        ValueError: If the model or the samples do not fit, the version exists, the
            folder cannot be written to, or the numbers differ.
        RuntimeError: If TensorFlow cannot load the model, or what it wrote.
        ImportError: If TensorFlow is not installed.
    """
    require_tensorflow()
    model = model if isinstance(model, keras.Model) else load(model)
    signatures = signatures_of(model)
    asked = verification.sample_inputs(signatures, samples)
    expected = verification.answers(signatures, asked)

    def fill(version_folder):
        with tempfile.TemporaryDirectory() as scratch:
            _write_from_any_backend(model, version_folder, Path(scratch))
            shapes = {n: x.shape[1:] for n, x in model.input.items() if n != MASK}
            _write_json(shapes, version_folder / INPUTS)
            if labels is not None:
                _write_json([str(x) for x in labels], version_folder / LABELS)
            received = _ask_afresh(version_folder, asked, Path(scratch))
        verification.compare(expected, received)

    return put(fill, folder, version)


def load(file: str | Path) -> keras.Model:
    """The model of a `.keras` file, in safe mode and not compiled."""
    # Registers the layers that the file may hold.
    import keras_fusion.layers  # noqa: F401

    return keras.saving.load_model(file, compile=False)


def write(model: keras.Model, folder: str | Path) -> None:
    """Writes the SavedModel; needs the TensorFlow backend."""
    archive = keras.export.ExportArchive()
    archive.track(model)
    for name, (inputs, answer) in signatures_of(model).items():
        archive.add_endpoint(name, answer, input_signature=[inputs])
    archive.write_out(str(folder), verbose=False)
    name_mask_columns(folder, [name for name in model.input if name != MASK])


def _write_from_any_backend(model, folder, scratch):
    # Keras' own export from JAX and PyTorch cannot do every model of several inputs.
    if keras.backend.backend() == "tensorflow":
        write(model, folder)
    else:
        model.save(scratch / "model.keras")
        child.run("write", scratch / "model.keras", folder)


def _write_json(value, file):
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(value), encoding="utf-8")


def _ask_afresh(folder, asked, scratch):
    inputs, outputs = scratch / "inputs.npz", scratch / "outputs.npz"
    child.save_arrays(inputs, asked)
    child.run("ask", folder, inputs, outputs)
    return child.load_arrays(outputs)
