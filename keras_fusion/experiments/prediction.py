"""Raw features in, classes out: from a `.keras` file or a SavedModel."""

import json
from pathlib import Path

import numpy as np

from keras_fusion import export
from keras_fusion.export import load
from keras_fusion.names import MASK

CLASSES, SAMPLES = "classes.json", "samples.npz"
_OUTPUTS = ("probabilities", "predictions", "modality_weights")


def predict(path: str | Path, inputs: dict) -> dict:
    """Outputs of a saved model for raw features.

    Args:
        path: A `.keras` file that `train` wrote, or an exported SavedModel.
        inputs: `(B, ...)` arrays by modality; all NaN in a row means absent there, and
            a modality that is absent in every row may come in any shape.

    Returns:
        Arrays by output name: `probabilities` `(B, K)`, or `predictions` `(B, 1)` for
        regression, and `modality_weights` `(B, M)` where the model has them.

    Raises:
        ValueError: If there is no such model, or an input is missing, unknown or of
            another shape.
    """
    path = Path(path)
    model = _trained(path) if path.suffix == ".keras" else None
    shapes = _row_shapes(model) if model else export.input_shapes(path)
    inputs = {name: _in_shape(x, shapes.get(name)) for name, x in inputs.items()}
    outputs = _answer(model, inputs) if model else export.signature(path)(inputs)
    if not {"probabilities", "predictions"} & outputs.keys():
        raise ValueError(_NOT_OURS.format(path))
    return {name: outputs[name] for name in _OUTPUTS if name in outputs}


def class_names(path: str | Path) -> list[str] | None:
    """The class names that go with a saved model, None where there are none."""
    path = Path(path)
    if path.suffix != ".keras":
        return export.labels(path)
    beside = path.with_name(CLASSES)
    return json.loads(beside.read_text()) if beside.is_file() else None


def samples(path: str | Path) -> dict[str, np.ndarray] | None:
    """The raw rows that `train` left beside a `.keras` file, None where there are none.

    Returns:
        `(B, ...)` float32 arrays by modality, NaN where something is missing.
    """
    beside = Path(path).with_name(SAMPLES)
    if not beside.is_file():
        return None
    with np.load(beside, allow_pickle=False) as arrays:
        return {key.removeprefix("inputs/"): x for key, x in arrays.items()}


def modalities(path: str | Path) -> list[str]:
    """The modalities of a saved model, in the order of its `modality_weights`."""
    path = Path(path)
    ours = path.suffix == ".keras"
    return list(_row_shapes(_trained(path)) if ours else export.input_shapes(path))


_NOT_OURS = "{} is no model that `keras-fusion train` saved, or an export of one."


def _trained(path):
    model = load(path)
    if not isinstance(model.input, dict) or not isinstance(model.output, dict):
        raise ValueError(_NOT_OURS.format(path))
    return model


def _row_shapes(model):
    inputs = model.input.items()
    return {name: tuple(x.shape[1:]) for name, x in inputs if name != MASK}


def _in_shape(x, shape):
    """`x`, spread out to rows of this shape where there is nothing in it but NaN."""
    if shape is None or x.shape[1:] == shape or not np.isnan(x).all():
        return x
    return np.full((len(x), *(size or 1 for size in shape)), np.nan, np.float32)


def _answer(model, inputs):
    if MASK in model.input:
        rows = len(next(iter(inputs.values())))
        inputs = inputs | {MASK: np.ones((rows, len(model.input) - 1), bool)}
    export.check_inputs(inputs, {name: x.shape for name, x in model.input.items()})
    return model.predict(inputs, verbose=0)
