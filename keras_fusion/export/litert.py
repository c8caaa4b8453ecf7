"""A model as a LiteRT file, for phones and small boards; written by TensorFlow."""

import re
import tempfile
from pathlib import Path

import keras

from keras_fusion.common.errors import InputError, first_line
from keras_fusion.common.names import CONTRIBUTIONS, RAW
from keras_fusion.export import saved_model
from keras_fusion.export.reading import Answer, require

FILE = "model.tflite"


def check_installed() -> None:
    """Raises an ImportError that says what to install."""
    require("ai_edge_litert", "LiteRT files are tried in ai-edge-litert", "litert")


def signatures(names: list[str]) -> list[str]:
    """The signatures that a LiteRT file has: those that every model has."""
    return [name for name in names if name not in (RAW, CONTRIBUTIONS)]


def write(model: keras.Model, file: Path, labels: list[str] | None = None) -> None:
    """Writes every signature.

    Raises:
        ValueError: If LiteRT has no operator for something in the model.
    """
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        saved_model.write(model, folder, labels=labels)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        try:
            written = converter.convert()
        except Exception as error:  # of TensorFlow's own making
            raise InputError(
                f"LiteRT {_reason(error)}: leave out the format 'litert' and take "
                "'onnx', or the SavedModel."
            ) from error
    file.write_bytes(written)


def load(file: Path) -> dict[str, Answer]:
    """Its signatures as functions of named arrays, run by LiteRT."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file))
    return {
        name: lambda inputs, name=name: interpreter.get_signature_runner(name)(**inputs)
        for name in interpreter.get_signature_list()
    }


def _reason(error):
    operators = set(re.findall(r"'tf\.(\w+)' op is neither", str(error)))
    if operators:
        return f"has no operator for {', '.join(sorted(operators))}"
    return f"cannot hold this model ({first_line(error)})"
