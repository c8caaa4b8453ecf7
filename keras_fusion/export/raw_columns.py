"""The signature that takes a person's raw columns: strings, numbers, bytes."""

import importlib
from dataclasses import dataclass
from pathlib import Path

import keras

from keras_fusion.common.names import MASK
from keras_fusion.export.reading import Arrays
from keras_fusion.export.signatures import Signature, answer_of

COLUMNS = Path("assets.extra", "columns.json")


@dataclass(frozen=True)
class RawColumns:
    """What stands before a model: a graph from raw columns to its inputs.

    Attributes:
        module: Has `graph_of(file)`: a function of TensorFlow from tensors by name to
            the model's inputs, with `inputs`, their specs by name, and `resources`,
            what a SavedModel must keep.
        file: What `graph_of` reads; it goes with the export.
        samples: Raw `(B, ...)` rows by name, those of the export's `samples`.
    """

    module: str
    file: Path
    samples: Arrays


def signature(model: keras.Model, module: str, file: str | Path):
    """The signature of these raw columns, and what a SavedModel must keep for it.

    Its outputs are the model's, and `modality_mask` `(B, M)`, 1 where something of a
    modality could be read.

    Args:
        model: A functional model with a dict of named inputs.
        module, file: As in `RawColumns`.
    """
    graph = importlib.import_module(module).graph_of(file)
    answer = answer_of(model)

    def answer_raw(tensors):
        inputs = graph(tensors)
        present = keras.ops.cast(inputs[MASK], "float32")
        taken = {
            name: keras.ops.cast(inputs[name], x.dtype)
            for name, x in model.input.items()
        }
        return {**answer(taken), MASK: present}

    return Signature(graph.inputs, answer_raw), graph.resources
