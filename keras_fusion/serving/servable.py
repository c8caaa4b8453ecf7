"""One version of a SavedModel in memory."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from keras_fusion.serving.folders import GRAPH


class Spec(NamedTuple):
    """Dtype and shape of one input; a shape of None is any rank, a size of None any."""

    dtype: tf.DType
    shape: tuple | None


class Signature(NamedTuple):
    """One way to ask: its inputs, the names of its outputs, and the graph function."""

    inputs: dict[str, Spec]
    outputs: list[str]
    function: tf.types.experimental.ConcreteFunction


class Servable:
    """A SavedModel that answers; what a request holds stays until it is answered.

    Args:
        folder: The version's folder, named by its number.

    Raises:
        Exception: Whatever TensorFlow raises where it is no whole SavedModel.
    """

    def __init__(self, folder: Path):
        self.version = int(folder.name)
        self.folder = folder
        self.signature_defs = _signature_defs(folder)
        # Kept, since the signatures do not keep the weights alive.
        self._loaded = tf.saved_model.load(str(folder))
        self.signatures = {
            name: _signature(function)
            for name, function in self._loaded.signatures.items()
        }

    def answer(self, signature: str, inputs: dict[str, np.ndarray]) -> dict:
        """Arrays by output name, for arrays that fit the signature's inputs."""
        _, _, function = self.signatures[signature]
        tensors = {name: tf.constant(x) for name, x in inputs.items()}
        return {
            # A scalar string comes as bytes.
            name: np.asarray(x.numpy(), x.dtype.as_numpy_dtype)
            for name, x in function(**tensors).items()
        }


def _signature_defs(folder):
    """As TensorFlow Serving tells them, untouched."""
    saved = saved_model_pb2.SavedModel.FromString((folder / GRAPH).read_bytes())
    for graph in saved.meta_graphs:
        if "serve" in graph.meta_info_def.tags:
            return dict(graph.signature_def)
    raise ValueError(f"{folder} has no graph with the tag 'serve'.")


def _signature(function):
    # By the specs' own names: the keywords are names that Python would accept.
    _, keywords = function.structured_input_signature
    inputs = {
        spec.name: Spec(spec.dtype, None if spec.shape.rank is None else (*spec.shape,))
        for spec in keywords.values()
    }
    return Signature(inputs, sorted(function.structured_outputs), function)
