"""A model as an ONNX file, for ONNX Runtime; written on the TensorFlow backend."""

from pathlib import Path

import keras
import numpy as np

from keras_fusion.common.errors import InputError
from keras_fusion.common.names import DEFAULT, MASKED
from keras_fusion.export import saved_model
from keras_fusion.export.reading import Answer, require

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

    known = saved_model.compiled(model, labels)
    (name,) = signatures(list(known))
    inputs, answer = known[name]
    specs = {n: tf.TensorSpec(x.shape, x.dtype, name=n) for n, x in inputs.items()}
    written = _converted(
        tf.function(answer).get_concrete_function(specs), sorted(specs)
    )
    # tf2onnx leaves what it cannot write as an operator that nobody knows
    unknown = {n.op_type for n in written.graph.node if not _is_known(n)}
    if unknown:
        raise InputError(
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


def _converted(function, names):
    """tf2onnx's own `from_function` asks for what the function holds as inputs, too."""
    from tf2onnx import convert, tf_loader

    inputs = [x.name for x in function.inputs[: len(names)]]
    outputs = {y.name: name for name, y in function.structured_outputs.items()}
    written, _ = convert.from_graph_def(
        tf_loader.from_function(function, inputs, [*outputs]),
        input_names=inputs,
        output_names=[*outputs],
        opset=_OPSET,
        custom_op_handlers={"Erfc": (_write_erfc, [])},
        tensors_to_rename=dict(zip(inputs, names)) | outputs,
    )
    return written


def _write_erfc(graph, node, name, arguments):
    """`1 - erf(x)`, of which TensorFlow's GELU is made and which tf2onnx lacks."""
    from tf2onnx import utils

    (output,) = node.output
    kind, shape = graph.get_dtype(output), graph.get_shape(output)
    one = np.ones((), utils.map_onnx_to_numpy_type(kind))
    one = graph.make_const(utils.make_name("one"), one)
    erf = graph.make_node("Erf", node.input, shapes=[shape], dtypes=[kind])
    graph.remove_node(name)
    graph.make_node(
        "Sub",
        [*one.output, *erf.output],
        outputs=[output],
        shapes=[shape],
        dtypes=[kind],
    )


def _is_known(node):
    import onnx

    return onnx.defs.has(node.op_type, node.domain)
