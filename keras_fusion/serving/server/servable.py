"""One version of a SavedModel in memory."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from keras_fusion.serving.server.folders import GRAPH

_TAG = "serve"


class Spec(NamedTuple):
    """Dtype and shape of one input; a shape of None is any rank, a size of None any."""

    dtype: tf.DType
    shape: tuple | None


class Signature(NamedTuple):
    """One way to ask: its inputs and outputs by name."""

    inputs: dict[str, Spec]
    outputs: list[str]


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
        self._loaded = tf.saved_model.load(str(folder), tags=[_TAG])
        self.signature_defs = _definitions(folder)
        self.signatures = {
            name: Signature(
                {n: _spec(info) for n, info in definition.inputs.items()},
                sorted(definition.outputs),
            )
            for name, definition in self.signature_defs.items()
            if name in self._loaded.signatures
        }

    def answer(self, signature: str, inputs: dict[str, np.ndarray]) -> dict:
        """Arrays by output name, for arrays that fit the signature's inputs."""
        tensors = {name: tf.constant(x) for name, x in inputs.items()}
        outputs = self._loaded.signatures[signature](**tensors)
        return {name: _array(x) for name, x in outputs.items()}


def _array(tensor):
    """Of a text without axes `numpy` gives bytes."""
    return np.asarray(tensor.numpy(), object if tensor.dtype == tf.string else None)


def _definitions(folder):
    saved = saved_model_pb2.SavedModel.FromString((folder / GRAPH).read_bytes())
    graphs = [g for g in saved.meta_graphs if _TAG in g.meta_info_def.tags]
    return dict(graphs[0].signature_def)


def _spec(info):
    shape = tf.TensorShape(info.tensor_shape)
    known = None if shape.rank is None else (*shape.as_list(),)
    return Spec(tf.as_dtype(info.dtype), known)
