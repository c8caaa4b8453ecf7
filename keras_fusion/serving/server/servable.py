"""One version of a SavedModel in memory."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2

_LOG = logging.getLogger("tensorflow")


class Spec(NamedTuple):
    """Dtype and shape of one input; a shape of None is any rank, a size of None any."""

    dtype: tf.DType
    shape: tuple | None


class Signature(NamedTuple):
    """One way to ask: its inputs and outputs by name, and what computes them.

    `run` takes the arrays in the order of the inputs, and gives those of the outputs.
    """

    inputs: dict[str, Spec]
    outputs: list[str]
    run: Callable


class Servable:
    """A SavedModel that answers; what a request holds stays until it is answered.

    In a session, as TensorFlow Serving has it: a call takes a fifth of what it takes
    through `tf.saved_model.load`, which makes tensors of its arrays in Python.

    Args:
        folder: The version's folder, named by its number.

    Raises:
        Exception: Whatever TensorFlow raises where it is no whole SavedModel.
    """

    def __init__(self, folder: Path):
        self.version = int(folder.name)
        self.folder = folder
        session = tf.compat.v1.Session(graph=tf.Graph())
        self.signature_defs = dict(_load(session, folder).signature_def)
        self.signatures = {
            name: _signature(session, definition)
            for name, definition in self.signature_defs.items()
            if definition.method_name
        }

    def answer(self, signature: str, inputs: dict[str, np.ndarray]) -> dict:
        """Arrays by output name, for arrays that fit the signature's inputs."""
        specs, outputs, run = self.signatures[signature]
        found = run(*(inputs[name] for name in specs))
        return {name: _array(x) for name, x in zip(outputs, found)}


def _array(x):
    """What a session gave: it makes scalars of arrays without axes."""
    return np.asarray(x, object if isinstance(x, bytes) else None)


def _load(session, folder) -> meta_graph_pb2.MetaGraphDef:
    level = _LOG.level
    _LOG.setLevel(logging.ERROR)  # that training should load it otherwise
    try:
        with session.graph.as_default():
            return tf.compat.v1.saved_model.load(session, ["serve"], str(folder))
    finally:
        _LOG.setLevel(level)


def _signature(session, definition):
    inputs, outputs = definition.inputs, definition.outputs
    asked = sorted(outputs)
    options = config_pb2.CallableOptions(
        feed=[info.name for info in inputs.values()],
        fetch=[outputs[name].name for name in asked],
    )
    specs = {name: _spec(info) for name, info in inputs.items()}
    # The public `make_callable` looks the graph up by name at every call: 0.4 ms.
    return Signature(specs, asked, session._make_callable_from_options(options))


def _spec(info):
    shape = tf.TensorShape(info.tensor_shape)
    known = None if shape.rank is None else (*shape.as_list(),)
    return Spec(tf.as_dtype(info.dtype), known)
