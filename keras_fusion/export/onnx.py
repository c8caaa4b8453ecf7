"""A model as an ONNX file, for ONNX Runtime; written on the TensorFlow backend."""

from pathlib import Path

import keras

from keras_fusion.export import saved_model
from keras_fusion.export.reading import DEFAULT, MASKED, Answer, require

FILE = "model.onnx"
_OPSET = 18


def check_installed() -> None:
    """Raises an ImportError that says what to install."""
    require("tf2onnx", "ONNX files are written by tf2onnx", "onnx")
    require("onnxruntime", "ONNX files are tried in ONNX Runtime", "onnx")


def signatures(names: list[str]) -> list[str]:
    """The signatures that an ONNX file can hold: the one of the most inputs."""
    return [name for name in (MASKED[DEFAULT], DEFAULT) if name in names][:1]


def write(model: keras.Model, file: Path, labels: list[str] | None = None) -> None:
    """Writes the signature of the most inputs.

    Raises:
        ValueError: If ONNX has no operator for something in the model.
    """
    import onnx
    import tensorflow as tf
    import tf2onnx

    known = saved_model.compiled(model, labels)
    (name,) = signatures(list(known))
    inputs, answer = known[name]
    specs = {n: tf.TensorSpec(x.shape, x.dtype, name=n) for n, x in inputs.items()}
    written, _ = tf2onnx.convert.from_function(
        tf.function(answer), [specs], opset=_OPSET
    )
    # tf2onnx leaves what it cannot write as an operator that nobody knows
    unknown = {n.op_type for n in written.graph.node if not _is_known(n)}
    if unknown:
        raise ValueError(
            f"ONNX has no operator for {', '.join(sorted(unknown))}: leave out the "
            "format 'onnx' and take the SavedModel."
        )
    onnx.save(written, file)


def load(file: Path) -> dict[str, Answer]:
    """Its signature as a function of named arrays, run by ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    names = [x.name for x in session.get_outputs()]
    inputs = {x.name for x in session.get_inputs()}

    def answer(arrays):
        # The graph has no input for what changes nothing.
        fed = {name: x for name, x in arrays.items() if name in inputs}
        return dict(zip(names, session.run(names, fed), strict=True))

    # Which of the two it is only its inputs tell, and they fit but one.
    return {DEFAULT: answer, MASKED[DEFAULT]: answer}


def _is_known(node):
    import onnx

    return onnx.defs.has(node.op_type, node.domain)
