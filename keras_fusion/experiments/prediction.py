"""Raw features in, classes out: from a `.keras` file or a SavedModel."""

from functools import partial
from pathlib import Path

import numpy as np

from keras_fusion import datasets, export
from keras_fusion.common.errors import InputError
from keras_fusion.common.files import read_json
from keras_fusion.common.names import (
    CONFLICT,
    DISAGREEMENT,
    EACH_LABEL,
    MASK,
    MEDIAN,
    MODALITY_WEIGHTS,
    RISK,
    SETS,
    SURVIVAL,
    UNCERTAINTY,
    safe_names,
)
from keras_fusion.datasets.arrays import as_numbers
from keras_fusion.datasets.files import Rows
from keras_fusion.experiments import table_columns
from keras_fusion.experiments.answering import answered
from keras_fusion.export import load

CLASSES, INPUTS = "classes.json", "inputs.json"
ANSWERS = ("probabilities", "predictions", EACH_LABEL, RISK)
_OUTPUTS = (
    *ANSWERS,
    MEDIAN,
    SURVIVAL,
    SETS,
    UNCERTAINTY,
    DISAGREEMENT,
    CONFLICT,
    MODALITY_WEIGHTS,
)


def predict(path: str | Path, inputs: dict) -> dict:
    """Outputs of a saved model for raw features.

    Args:
        path: A `.keras` file that `train` wrote, or an exported SavedModel.
        inputs: `(B, ...)` arrays by modality; all NaN in a row means absent there, and
            a modality that is absent in every row may come in any shape. A
            `modality_mask` `(B, M)` says it in place of NaN.

    Returns:
        Arrays by output name: `probabilities` `(B, K)`, of classes in an order with
        `median_class` `(B,)`, `label_probabilities` `(B, K)` of several labels at once,
        `predictions` `(B, 1)` for regression, or `risk` `(B, 1)` and `survival`
        `(B, T)` at the times that `class_names` gives, and `modality_weights` `(B, M)`,
        `prediction_set` `(B, K)`, `uncertainty`, `disagreement` and `conflict` `(B,)`
        where the model has them.

    Raises:
        ValueError: If there is no such model, or an input is missing, unknown, of
            another shape, or holds a number that float32 cannot.
    """
    return Predictor(path)(inputs)


def answer_of(outputs: dict) -> np.ndarray:
    """The one output that is about the label: probabilities, numbers or a risk."""
    (name,) = outputs.keys() & ANSWERS
    return np.asarray(outputs[name])


def named_numbers(outputs: dict) -> np.ndarray:
    """`(B,)`: the number of the class that is named, or of the most probable label.

    Args:
        outputs: Of `predict`, no maps.
    """
    if MEDIAN in outputs:
        return np.asarray(outputs[MEDIAN]).astype(int)
    return answer_of(outputs).argmax(axis=-1)


class Predictor:
    """`predict` of one saved model, which stays loaded.

    Args:
        path: A `.keras` file that `train` wrote, or an exported SavedModel.

    Attributes:
        shapes: Of one row by modality, in the order of `modality_weights`.

    Raises:
        ValueError: If there is no such model.
    """

    def __init__(self, path: str | Path):
        self.path = path = Path(path)
        if path.suffix == ".keras":
            model = _trained(path)
            self.shapes = _row_shapes(model)
            self._answer = partial(answered, model)
        else:
            self.shapes = export.input_shapes(path)
            self._answer = _of_export(path)

    def __call__(self, inputs: dict) -> dict:
        """See `predict`."""
        path = self.path
        inputs = {n: as_numbers(n, np.asarray(x), path.name) for n, x in inputs.items()}
        outputs = self._answer(_in_shapes(inputs, self.shapes))
        if not outputs.keys() & ANSWERS:
            raise InputError(_NOT_OURS.format(path))
        return {name: outputs[name] for name in _OUTPUTS if name in outputs}


def _of_export(path):
    answer = export.signature(path)
    return lambda inputs: answer(_with_flags(inputs))


def read_rows(path: str | Path, file: str | Path) -> Rows:
    """The rows of a person's file, matched by name to what a saved model takes.

    Args:
        path: A `.keras` file that `train` wrote, or an exported SavedModel.
        file: As for `datasets.read`. Columns may stand in any order and there may be
            more of them; a modality whose columns are all left out is absent.

    Raises:
        ValueError: If there is no such model, or the file does not fit it.
    """
    path = Path(path)
    if path.suffix == ".keras" and not path.is_file():
        raise InputError(f"There is no model {path}.")
    preprocessor, schema = table_columns.of(path), schema_of(path)
    if preprocessor is not None:
        return table_columns.read_rows(preprocessor, file, schema)
    if schema is not None:
        rows = datasets.read_rows(file, schema)
    else:
        rows = Rows(datasets.read(file), None, (_IN_ORDER.format(path),))
    return rows._replace(inputs=_in_shapes(rows.inputs, row_shapes(path)))


def class_names(path: str | Path, outputs: dict | None = None) -> list[str] | None:
    """The class names that go with a saved model, None where there are none.

    Of a model of times they are the times, as texts, at which it tells survival.

    Args:
        path: The model.
        outputs: What it answered, for as many classes as there should be names.

    Raises:
        InputError: If what stands beside the model are no such names.
    """
    if (path := Path(path)).suffix != ".keras":
        return export.labels(path)
    names, beside = _beside(path, CLASSES), path.with_name(CLASSES)
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise InputError(f"{beside} is broken: expected a list of names.")
    scores = (outputs or {}).get("probabilities")
    if scores is not None and scores.shape[-1] not in (1, len(names)):
        raise InputError(
            f"{beside} has {len(names)} names for {scores.shape[-1]} classes."
        )
    return names


def columns(path: str | Path) -> dict[str, list[str]]:
    """The columns of each modality of a `.keras` file that is made of some."""
    schema = schema_of(path)
    if schema is None:
        return {}
    return {m: list(names) for m, names in schema.modalities.items() if names}


def row_shapes(path: str | Path) -> dict[str, tuple]:
    """The shape of one row by modality, in the order of `modality_weights`."""
    path = Path(path)
    ours = path.suffix == ".keras"
    return _row_shapes(_trained(path)) if ours else export.input_shapes(path)


def modalities(path: str | Path) -> list[str]:
    """The modalities of a saved model, in the order of its `modality_weights`."""
    return list(row_shapes(path))


_NOT_OURS = "{} is no model that `keras-fusion train` saved, or an export of one."
_IN_ORDER = (
    "{} does not say which columns it was trained on: they are taken in the order of "
    "the file"
)


def schema_of(path: str | Path) -> datasets.Schema | None:
    """What a model was trained on by name, None where nothing says so."""
    path = Path(path)
    if path.suffix != ".keras":
        known, others = export.input_columns(path), export.not_inputs(path)
        names = {m: tuple(known.get(m, ())) for m in export.input_shapes(path)}
        if not others:
            return datasets.Schema(names)
        return datasets.Schema(names, others["label"], tuple(others["left_out"]))
    content = _beside(path, INPUTS)
    if content is None:
        return None
    try:
        return datasets.Schema.from_json(content)
    except ValueError as error:
        raise InputError(f"{path.with_name(INPUTS)} is broken: {error}") from error


def _beside(path, name):
    """What a JSON file beside a model holds, None where there is none."""
    beside = path.with_name(name)
    return read_json(beside) if beside.is_file() else None


def _trained(path):
    model = load(path)
    if not isinstance(model.input, dict) or not isinstance(model.output, dict):
        raise InputError(_NOT_OURS.format(path))
    return model


def _row_shapes(model):
    inputs = model.input.items()
    return {name: tuple(x.shape[1:]) for name, x in inputs if name != MASK}


def _in_shapes(inputs, shapes):
    return {name: _in_shape(x, shapes.get(name)) for name, x in inputs.items()}


def _in_shape(x, shape):
    """`x`, spread out to rows of this shape where there is nothing in it but NaN."""
    if shape is None or x.shape[1:] == shape:
        return x
    if x.dtype.kind != "f" or not np.isnan(x).all():
        return x
    return np.full((len(x), *(size or 1 for size in shape)), np.nan, np.float32)


def _with_flags(inputs):
    """Inputs of a SavedModel, with a flag for each modality in place of a mask."""
    if MASK not in inputs:
        return inputs
    names = safe_names([name for name in inputs if name != MASK])
    flags = {
        f"{safe}_present": there for safe, there in zip(names.values(), inputs[MASK].T)
    }
    return {safe: inputs[name] for name, safe in names.items()} | flags
