"""One version of a SavedModel in memory, and what may be asked of it."""

import math
from pathlib import Path
from typing import NamedTuple

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from keras_fusion.common.names import EDGES
from keras_fusion.serving.errors import ServingError, invalid
from keras_fusion.serving.server.folders import GRAPH

_TAG = "serve"
_CODES = {code.value[0]: code.name for code in grpc.StatusCode}  # as TensorFlow's
_TEXT = 64  # bytes that a text of no characters takes in Python, and its place


class Limits(NamedTuple):
    """Bounds on requests; what is over them is refused.

    Attributes:
        body: Bytes of one request, and of the tensors that it describes.
        batch: Rows of one request.
        seconds: From the first byte of a REST request to its answer, and of a stop.
            Over gRPC the caller's own deadline counts.
        workers: Calls of a model that run at once; others wait their turn.
        connections: Of REST, and requests of gRPC in hand.
    """

    body: int = 64 * 2**20
    batch: int = 1024
    seconds: float = 30.0
    workers: int = 8
    connections: int = 512


USUAL = Limits()


class Servable:
    """A SavedModel that answers; what a request holds stays until it is answered.

    Args:
        folder: The version's folder, named by its number.

    Attributes:
        version, folder: As given.
        definitions: `SignatureDef` by signature.

    Raises:
        Exception: Whatever TensorFlow raises where it is no whole SavedModel.
    """

    def __init__(self, folder: Path):
        self.version, self.folder = int(folder.name), folder
        self._loaded = _loaded(str(folder))
        saved = saved_model_pb2.SavedModel.FromString((folder / GRAPH).read_bytes())
        graph = next(g for g in saved.meta_graphs if _TAG in g.meta_info_def.tags)
        self.definitions = dict(graph.signature_def)
        self._inputs = {
            name: {n: _spec(info) for n, info in self.definitions[name].inputs.items()}
            for name in self._loaded.signatures
        }

    def inputs(self, signature: str) -> dict[str, tf.TensorSpec]:
        """What a signature takes, by name.

        Raises:
            ServingError: If there is no such signature.
        """
        if signature not in self._inputs:
            sentence = f"There is no signature {signature[:99]!r}."
            raise ServingError("FAILED_PRECONDITION", sentence)
        return self._inputs[signature]

    def check(
        self, signature: str, given: dict[str, tf.TensorSpec], limits: Limits = USUAL
    ) -> None:
        """Refuses what does not fit, before anything is made of a message.

        Raises:
            ServingError: With the sentence that the client is to read.
        """
        specs = self.inputs(signature)
        if given.keys() != specs.keys():
            raise invalid(f"Expected inputs {sorted(specs)}; received {sorted(given)}.")
        for name, spec in given.items():
            if not specs[name].is_compatible_with(spec):
                raise invalid(
                    f"Expected {name!r} as {specs[name].dtype.name} of the shape "
                    f"{specs[name].shape}; received {spec.dtype.name} of {spec.shape}."
                )
        size = sum(
            math.prod(spec.shape) * (spec.dtype.size or _TEXT)
            for spec in given.values()
        )
        if size > limits.body:
            raise invalid(
                f"The tensors have {size} bytes, over the limit of {limits.body}."
            )
        # The nodes of a graph are one batch, which nothing can take apart.
        most = math.inf if EDGES & specs.keys() else limits.batch
        rows = {
            name: given[name].shape[0]
            for name, spec in specs.items()
            if spec.shape.rank and spec.shape[0] is None and name not in EDGES
        }
        # TensorFlow would spread a batch of one over the others silently.
        if len(set(rows.values())) > 1 or max(rows.values(), default=0) > most:
            raise invalid(
                f"Expected one number of rows, at most {most}; received {rows}."
            )

    def answer(self, signature: str, inputs: dict[str, np.ndarray]) -> dict:
        """Arrays by output name, for arrays that `check` lets pass.

        TensorFlow cannot be interrupted: a call goes on when its time is over.

        Raises:
            ServingError: If TensorFlow refuses the inputs.
        """
        tensors = {name: tf.constant(x) for name, x in inputs.items()}
        try:
            outputs = self._loaded.signatures[signature](**tensors)
        except tf.errors.OpError as error:
            raise ServingError(_CODES[error.error_code], error.message) from None
        return {name: _array(outputs[name]) for name in sorted(outputs)}


def _loaded(folder):
    """What TensorFlow loads, with the operations of TensorFlow Text where it must."""
    try:
        return tf.saved_model.load(folder, tags=[_TAG])
    except RuntimeError as error:
        if "Op type not registered" not in str(error):
            raise
    import tensorflow_text  # noqa: F401

    return tf.saved_model.load(folder, tags=[_TAG])


def _array(tensor):
    """Of a text without axes `numpy` gives bytes."""
    return np.asarray(tensor.numpy(), object if tensor.dtype == tf.string else None)


def _spec(info):
    return tf.TensorSpec(tf.TensorShape(info.tensor_shape), info.dtype)
