"""Modalities of every rank, and random rows of them."""

import numpy as np

SHAPES = {"pose": (5,), "text": (4, 3), "rgb": (8, 8, 2), "video": (2, 8, 8, 1)}
VECTORS = {"a": (5,), "b": (3,), "c": (4,)}
SEQUENCES = {"a": (4, 5), "b": (4, 3)}
# Everything there, one absent, all but one absent, nothing there.
MASK = np.array([[1, 1, 1, 1], [1, 0, 1, 1], [0, 1, 0, 0], [0, 0, 0, 0]], bool)


def shapes_for(operator):
    """Shapes of modalities that every operator of this kind takes."""
    return SEQUENCES if operator.takes == "tokens" else VECTORS


def draw(shapes, rows=3, seed=0):
    """Standard normal rows by modality."""
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(size=(rows, *shape)).astype("float32")
        for name, shape in shapes.items()
    }


def absent_as(filler, inputs, mask):
    """The inputs with `filler` in all that is absent, and the mask."""
    filled = {name: x.copy() for name, x in inputs.items()}
    for x, there in zip(filled.values(), mask.T, strict=True):
        x[~there] = filler
    return filled | {"modality_mask": mask}


def randomize(model, seed=0):
    """The model with normal draws in all its weights."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    return model
