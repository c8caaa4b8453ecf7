"""An exported SavedModel as a function of arrays."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_fusion.export.versions import newest

MASK = "modality_mask"
EDGES = ("edge_index", "edge_weight")  # of a graph; its nodes are the batch
DEFAULT, MASKED = "serving_default", "serving_masked"
LABELS = Path("assets.extra", "labels.json")
INPUTS = Path("assets.extra", "inputs.json")

Arrays = dict[str, np.ndarray]


def signature(path: str | Path) -> Callable[[Arrays], Arrays]:
    """The newest SavedModel under `path` as a function of named arrays.

    Args:
        path: `saved_models/<name>`, or one version folder in it.

    Returns:
        A function from the model's inputs, `(B, ...)` arrays by name, to its outputs,
        float32 `(B, ...)` arrays by name. Inputs with a `modality_mask` (B, M) go to
        the signature `serving_masked`, others to `serving_default`. It raises a
        ValueError where a name is missing or unknown, or a shape does not fit.

    Raises:
        ValueError: If there is no SavedModel.
        ImportError: If TensorFlow is not installed.
    """
    require_tensorflow()
    import tensorflow as tf

    loaded = tf.saved_model.load(str(newest(path)))

    def answer(inputs):
        # Reads `loaded`, not only its signatures: those do not keep the weights alive.
        masked = MASK in inputs and MASKED in loaded.signatures
        function = loaded.signatures[MASKED if masked else DEFAULT]
        # By the specs' own names: the keys are names that Python would accept.
        _, keywords = function.structured_input_signature
        specs = {spec.name: spec for spec in keywords.values()}
        check_inputs(inputs, {name: tuple(spec.shape) for name, spec in specs.items()})
        tensors = {
            name: tf.constant(np.asarray(x, specs[name].dtype.as_numpy_dtype))
            for name, x in inputs.items()
        }
        return {name: x.numpy() for name, x in function(**tensors).items()}

    return answer


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


def require_tensorflow() -> None:
    """Raises an ImportError that says what to install, without importing it."""
    if importlib.util.find_spec("tensorflow") is None:
        raise ImportError(
            "SavedModels are written and read by TensorFlow, which is not installed: "
            'pip install "keras-fusion[tensorflow]".'
        )


def check_inputs(inputs: Arrays, shapes: dict[str, tuple]) -> None:
    """Raises a ValueError unless `inputs` has just these names, shapes and one B.

    TensorFlow would broadcast a batch of one silently. The edges of a graph, whose
    nodes are the batch, have a number of their own.
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
    batches = {name: len(x) for name, x in inputs.items() if name not in EDGES}
    if len(set(batches.values())) > 1:
        raise ValueError(f"Inputs must have one batch size; received {batches}.")
