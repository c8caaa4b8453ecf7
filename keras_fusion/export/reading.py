"""An exported SavedModel as functions of arrays."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_fusion.common.errors import InputError, first_line
from keras_fusion.common.names import DEFAULT, EDGES, MASKED, safe_names
from keras_fusion.export.manifest import MANIFEST
from keras_fusion.export.versions import newest

CLASSES = "classes"
NO_CLASS = ""  # where the numbers that would say it are not all finite
LABELS = Path("assets.extra", "labels.json")
INPUTS = Path("assets.extra", "inputs.json")
NOT_INPUTS = Path("assets.extra", "not_inputs.json")

Arrays = dict[str, np.ndarray]
Answer = Callable[[Arrays], Arrays]


def signature(path: str | Path, name: str | None = None) -> Answer:
    """A signature of the newest SavedModel under `path` as a function of named arrays.

    Args:
        path: `saved_models/<name>`, or one version folder in it.
        name: Of the signature. None is `serving_default`, or `serving_masked` for
            inputs with a `NAME_present`, where the model has it.

    Returns:
        A function from the signature's inputs, `(B, ...)` arrays by its names or the
        model's own, to its outputs: float32 `(B, ...)` arrays by name, `classes` as
        text. It raises a ValueError where a name is missing or unknown, or a shape does
        not fit.

    Raises:
        ValueError: If there is no whole SavedModel, or no such signature.
        ImportError: If TensorFlow is not installed.
    """
    known = signatures(path)
    if name is not None:
        if name not in known:
            raise InputError(f"{path} has no signature {name!r}; it has {list(known)}.")
        return known[name]
    default = known[DEFAULT]
    masked = known.get(MASKED[DEFAULT], default)
    flags = masked.inputs.keys() - default.inputs.keys()
    return lambda inputs: (masked if flags & inputs.keys() else default)(inputs)


def signatures(path: str | Path) -> dict[str, "Served"]:
    """Every signature of the newest SavedModel under `path`, by name."""
    require("tensorflow", "SavedModels are written and read by TensorFlow")
    folder = newest(path)
    try:
        loaded = _loaded(str(folder))
    except ImportError:
        raise
    except Exception as error:  # of TensorFlow's own making
        reason = first_line(error)
        raise InputError(f"{folder} is no whole SavedModel: {reason}") from error
    own = input_shapes(path) if (folder / INPUTS).is_file() else {}
    names = safe_names(own)
    return {name: Served(loaded, name, names) for name in loaded.signatures}


def _loaded(folder):
    """What TensorFlow loads, with the operations of TensorFlow Text where it must."""
    import tensorflow as tf

    try:
        return tf.saved_model.load(folder)
    except RuntimeError as error:
        if "Op type not registered" not in str(error):
            raise
    require("tensorflow_text", "The tokenizer in this SavedModel is of it", "text")
    import tensorflow_text  # noqa: F401

    return tf.saved_model.load(folder)


class Served:
    """A signature of a SavedModel, a function of named arrays.

    Attributes:
        names: The signature's name of an input by the person's own.
        inputs: TensorFlow's specs of what it takes, by name.
        outputs: Of what it answers.
    """

    def __init__(self, loaded, name: str, names: dict[str, str] | None = None):
        self.loaded = loaded  # a signature by itself does not keep the weights alive
        self.function = loaded.signatures[name]
        self.names = names or {}
        _, self.inputs = self.function.structured_input_signature
        self.outputs = self.function.structured_outputs

    def __call__(self, inputs: Arrays) -> Arrays:
        import tensorflow as tf

        inputs = {self.names.get(name, name): x for name, x in inputs.items()}
        check_inputs(inputs, {n: tuple(x.shape) for n, x in self.inputs.items()})
        tensors = {
            name: tf.constant(np.asarray(x, self.inputs[name].dtype.as_numpy_dtype))
            for name, x in inputs.items()
        }
        return {name: as_array(x) for name, x in self.function(**tensors).items()}

    def described(self) -> dict:
        """`{"inputs": {name: {"shape": [None, 3], "dtype": "float32"}}, "outputs": {}}`
        with shapes and dtypes of all."""
        return {
            kind: {
                name: {"shape": x.shape.as_list(), "dtype": x.dtype.name}
                for name, x in sorted(specs.items())
            }
            for kind, specs in (("inputs", self.inputs), ("outputs", self.outputs))
        }


def labels(path: str | Path) -> list[str] | None:
    """The class names that were exported with the newest SavedModel under `path`.

    Args:
        path: `saved_models/<name>`, or one version folder in it.

    Returns:
        One name per class, or None where none were given.

    Raises:
        ValueError: If there is no SavedModel.
    """
    file = newest(path) / LABELS
    names = _asset(file) if file.exists() else None
    if names is not None and not _are_texts(names):
        raise InputError(f"{file} is not as it was exported.")
    return names


def input_shapes(path: str | Path) -> dict[str, tuple]:
    """The shape of one row of each input.

    They have the person's own names and the model's own order, that of
    `modality_weights`: a signature knows neither.

    Args:
        path: `saved_models/<name>`, or one version folder in it.
    """
    return {name: tuple(x["shape"]) for name, x in _inputs(path).items()}


def input_columns(path: str | Path) -> dict[str, list[str]]:
    """The names of the columns of each input that is made of some, in its order.

    Args:
        path: `saved_models/<name>`, or one version folder in it.
    """
    return {name: x["columns"] for name, x in _inputs(path).items() if x["columns"]}


def not_inputs(path: str | Path) -> dict:
    """The columns of a person's files that the newest model knows and does not take.

    Args:
        path: `saved_models/<name>`, or one version folder in it.

    Returns:
        `label`, a name, and `left_out`, names; nothing where the export was not told.
    """
    file = newest(path) / NOT_INPUTS
    if not file.is_file():
        return {}
    known = _asset(file)
    try:
        sound = isinstance(known["label"], str) and _are_texts(known["left_out"])
    except (KeyError, TypeError):
        sound = False
    if not sound:
        raise InputError(f"{file} is not as it was exported.")
    return {"label": known["label"], "left_out": known["left_out"]}


def metrics(path: str | Path) -> dict:
    """What is known of the training of the newest SavedModel under `path`, by name.

    Args:
        path: `saved_models/<name>`, or one version folder in it.
    """
    file = newest(path) / MANIFEST
    found = _asset(file) if file.is_file() else {}
    return (found.get("metrics") if isinstance(found, dict) else None) or {}


def _inputs(path):
    file = newest(path) / INPUTS
    inputs = _asset(file)
    try:
        sound = all(
            all(n is None or isinstance(n, int) for n in x["shape"])
            and (x["columns"] is None or _are_texts(x["columns"]))
            for x in inputs.values()
        )
    except (AttributeError, KeyError, TypeError):
        sound = False
    if not sound:
        raise InputError(f"{file} is not as it was exported.")
    return inputs


def _asset(file):
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{file} is not as it was exported.") from error


def _are_texts(names):
    return isinstance(names, list) and all(isinstance(x, str) for x in names)


def named_classes(
    scores: np.ndarray, labels: list[str], numbers: np.ndarray | None = None
) -> list[str]:
    """The label of each row's class; of a row with NaN or infinity none.

    Args:
        scores: `(B, K)`.
        labels: One for each of K.
        numbers: `(B,)`, of the classes, where the model names them itself; None takes
            that of the largest score.

    Returns:
        B labels, `""` where there is none.
    """
    finite = np.isfinite(scores).all(axis=-1)
    best = scores.argmax(axis=-1) if numbers is None else numbers.astype(int)
    best = np.where(finite, best, len(labels))
    return [[*labels, NO_CLASS][i] for i in best]


def require(package: str, purpose: str, extra: str | None = None) -> None:
    """Raises an ImportError that says what to install, without importing it."""
    if importlib.util.find_spec(package) is None:
        raise ImportError(
            f"{purpose}, and {package} is not installed: "
            f'pip install "keras-fusion[{extra or package}]".'
        )


def as_array(x) -> np.ndarray:
    """A numpy array of what a runtime answers; text as text, not bytes or objects."""
    x = np.asarray(x)
    if x.dtype.kind not in "OS":
        return x
    flat = [v.decode() if isinstance(v, bytes) else v for v in x.ravel()]
    return np.array(flat, dtype=str).reshape(x.shape)


def check_inputs(inputs: Arrays, shapes: dict[str, tuple]) -> None:
    """Raises a ValueError unless `inputs` has just these names, shapes and one B.

    TensorFlow would broadcast a batch of one silently. The edges of a graph, whose
    nodes are the batch, have a number of their own.
    """
    if set(inputs) != set(shapes):
        raise InputError(
            f"Expected the inputs {list(shapes)}; received {list(inputs)}."
        )
    for name, expected in shapes.items():
        shape = np.shape(inputs[name])
        if len(shape) != len(expected) or any(
            size not in (None, got) for size, got in zip(expected, shape, strict=True)
        ):
            raise InputError(
                f"Input {name!r} must have the shape {expected}; received {shape}."
            )
    batches = {name: len(x) for name, x in inputs.items() if name not in EDGES}
    if len(set(batches.values())) > 1:
        raise InputError(f"Inputs must have one batch size; received {batches}.")
