"""A small model of every builder, and all that it takes."""

import numpy as np
import pytest

from keras_fusion import zoo
from keras_fusion.common.names import EDGE_INDEX, MASK

SHAPES = {
    "GraphNodeClassifier": {"a": (3,), "b": (3,)},
    "MutualFormerSegmenter": {"a": (16, 16, 1), "b": (16, 16, 2)},
    "TwoStreamVideoClassifier": {"a": (2, 8, 8, 1), "b": (2, 8, 8, 2)},
}
each_builder = pytest.mark.parametrize("name", zoo.builders())


def built(name, classes=3, **arguments):
    """A model that drops nearly all modalities where there are several, its shapes."""
    shapes = SHAPES.get(name, {"a": (4, 3), "b": (4, 3)})
    options = {"units": 4} | arguments
    if name == "UnimodalClassifier":
        shapes = {"a": shapes["a"]}
    elif name != "GraphNodeClassifier":
        options |= {"modality_mask": True, "modality_dropout": 0.999}
    return zoo.builders()[name](shapes, classes, **options), shapes


def with_others(model, inputs, mask=None):
    """The inputs with all that the model takes besides modalities."""
    rows = len(next(iter(inputs.values())))
    if MASK in model.input:
        present = np.ones((rows, len(inputs)), bool) if mask is None else mask
        inputs = inputs | {MASK: present}
    if EDGE_INDEX in model.input:
        inputs = inputs | {EDGE_INDEX: np.int32([[0], [1]])}
    return inputs
