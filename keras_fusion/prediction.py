"""Raw features in, classes out: from a `.keras` file or a SavedModel."""

import json
from pathlib import Path

import keras
import numpy as np

import keras_fusion.layers  # noqa: F401  (registers them for loading)
from keras_fusion import export
from keras_fusion.zoo.inputs import MASK, check_inputs

CLASSES = "classes.json"


def predict(path: str | Path, inputs: dict) -> dict:
    """Outputs of a saved model for raw features.

    Args:
        path: A `.keras` file that `train` wrote, or an exported SavedModel.
        inputs: `(B, ...)` arrays by modality; all NaN in a row means absent there.

    Returns:
        Arrays by output name, `(B, ...)`.

    Raises:
        ValueError: If there is no such model, or an input is missing or unknown.
    """
    if Path(path).suffix == ".keras":
        return _predict_keras(Path(path), inputs)
    return export.signature(path)(inputs)


def class_names(path: str | Path) -> list[str] | None:
    """The class names that go with a saved model, None where there are none."""
    path = Path(path)
    if path.suffix != ".keras":
        return export.labels(path)
    beside = path.with_name(CLASSES)
    return json.loads(beside.read_text()) if beside.is_file() else None


def modalities(path: str | Path) -> list[str]:
    """The modalities of a saved model, in the order of its `modality_weights`."""
    path = Path(path)
    if path.suffix == ".keras":
        return [name for name in _load(path).input if name != MASK]
    return export.input_names(path)


def _load(path):
    if not path.is_file():
        raise ValueError(f"There is no model {path}.")
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # zipfile, h5py and Keras raise many kinds
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"{path} is not a whole .keras file: {reason}") from error


def _predict_keras(path, inputs):
    model = _load(path)
    if MASK in model.input:
        rows = len(next(iter(inputs.values())))
        inputs = inputs | {MASK: np.ones((rows, len(model.input) - 1), bool)}
    check_inputs(model, inputs)
    _check_shapes(model, inputs)
    return model.predict(inputs, verbose=0)


def _check_shapes(model, inputs):
    for name, x in inputs.items():
        expected = tuple(model.input[name].shape[1:])
        if x.shape[1:] != expected:
            raise ValueError(
                f"Input {name!r} has rows of shape {x.shape[1:]}; the model takes "
                f"{expected}."
            )
