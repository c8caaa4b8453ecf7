"""An exported SavedModel as functions of arrays."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_fusion.export.versions import newest

MASK = "modality_mask"
DEFAULT, EMBEDDING = "serving_default", "embedding"
MASKED = {DEFAULT: "serving_masked", EMBEDDING: "embedding_masked"}
CLASSES = "classes"
LABELS = Path("assets.extra", "labels.json")
INPUTS = Path("assets.extra", "inputs.json")

Arrays = dict[str, np.ndarray]
Answer = Callable[[Arrays], Arrays]


def signature(path: str | Path, name: str | None = None) -> Answer:
    """A signature of the newest SavedModel under `path` as a function of named arrays.

    Args:
        path: `saved_models/<name>`, or one version folder in it.
        name: Of the signature. None is `serving_default`, or `serving_masked` for
            inputs with a `modality_mask`, where the model has it.

    Returns:
        A function from the signature's inputs, `(B, ...)` arrays by name, to its
        outputs: float32 `(B, ...)` arrays by name, `classes` as text. It raises a
        ValueError where a name is missing or unknown, or a shape does not fit.

    Raises:
        ValueError: If there is no SavedModel, or no such signature.
        ImportError: If TensorFlow is not installed.
    """
    known = signatures(path)
    if name is not None:
        if name not in known:
            raise ValueError(f"{path} has no signature {name!r}; it has {list(known)}.")
        return known[name]
    masked = known.get(MASKED[DEFAULT], known[DEFAULT])
    return lambda inputs: (masked if MASK in inputs else known[DEFAULT])(inputs)


def signatures(path: str | Path) -> dict[str, Answer]:
    """Every signature of the newest SavedModel under `path`, by name."""
    require("tensorflow", "SavedModels are written and read by TensorFlow")
    import tensorflow as tf

    loaded = tf.saved_model.load(str(newest(path)))

    def answer_of(key):
        # Reads `loaded`, not only its signatures: those do not keep the weights alive.
        return lambda inputs: _answer(loaded.signatures[key], inputs)

    return {key: answer_of(key) for key in loaded.signatures}


def specs(path: str | Path) -> dict[str, dict]:
    """Shape and dtype of every input and output, by signature.

    Returns:
        `{signature: {"inputs": {name: {"shape": [None, 3], "dtype": "float32"}},
        "outputs": {...}}}`.
    """
    import tensorflow as tf

    def described(tensors):
        return {
            name: {"shape": x.shape.as_list(), "dtype": x.dtype.name}
            for name, x in sorted(tensors.items())
        }

    loaded = tf.saved_model.load(str(newest(path)))
    return {
        key: {
            "inputs": described(_inputs(function)),
            "outputs": described(function.structured_outputs),
        }
        for key, function in loaded.signatures.items()
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
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def input_shapes(path: str | Path) -> dict[str, tuple]:
    """The shape of one row of each input, without `modality_mask`.

    They are in the model's own order, that of the columns of `modality_mask`: a
    signature knows inputs only by name.

    Args:
        path: `saved_models/<name>`, or one version folder in it.
    """
    shapes = json.loads((newest(path) / INPUTS).read_text(encoding="utf-8"))
    return {name: tuple(shape) for name, shape in shapes.items()}


def require(package: str, purpose: str, extra: str | None = None) -> None:
    """Raises an ImportError that says what to install, without importing it."""
    if importlib.util.find_spec(package) is None:
        raise ImportError(
            f"{purpose}, and {package} is not installed: "
            f'pip install "keras-fusion[{extra or package}]".'
        )


def as_text(x: np.ndarray) -> np.ndarray:
    """An array of text from one of bytes or objects, as the runtimes give it."""
    flat = [v.decode() if isinstance(v, bytes) else v for v in x.ravel()]
    return np.array(flat, dtype=str).reshape(x.shape)


def check_inputs(inputs: Arrays, shapes: dict[str, tuple]) -> None:
    """Raises a ValueError unless `inputs` has just these names, shapes and one B.

    TensorFlow would broadcast a batch of one silently.
    """
    if set(inputs) != set(shapes):
        raise ValueError(
            f"Expected the inputs {list(shapes)}; received {list(inputs)}."
        )
    for name, expected in shapes.items():
        shape = np.shape(inputs[name])
        if len(shape) != len(expected) or any(
            size not in (None, got) for size, got in zip(expected, shape, strict=True)
        ):
            raise ValueError(
                f"Input {name!r} must have the shape {expected}; received {shape}."
            )
    batches = {name: len(x) for name, x in inputs.items()}
    if len(set(batches.values())) > 1:
        raise ValueError(f"Inputs must have one batch size; received {batches}.")


def _answer(function, inputs):
    import tensorflow as tf

    taken = _inputs(function)
    check_inputs(inputs, {name: tuple(x.shape) for name, x in taken.items()})
    tensors = {
        name: tf.constant(np.asarray(x, taken[name].dtype.as_numpy_dtype))
        for name, x in inputs.items()
    }
    return {name: _array(x) for name, x in function(**tensors).items()}


def _inputs(function):
    # By the specs' own names: the keys are names that Python would accept.
    _, keywords = function.structured_input_signature
    return {spec.name: spec for spec in keywords.values()}


def _array(x):
    return as_text(x.numpy()) if x.dtype.name == "string" else x.numpy()
