"""Trained weights, by the name of the recipe that made them or by path."""

import tempfile
from pathlib import Path

import h5py
import keras

from keras_fusion.common.errors import InputError, first_line
from keras_fusion.safety import archives
from keras_fusion.zoo import published


def load_weights(model: keras.Model, weights) -> None:
    """Loads `weights` into `model`.

    Args:
        model: As the recipe builds it.
        weights: None (nothing is loaded), the name of a recipe that has trained
            weights, or the path of a `.weights.h5` file.

    Raises:
        ValueError: If there are no such weights, if the file is broken, or if it
            belongs to a model of another architecture.
    """
    if weights is None:
        return
    path = Path(weights)
    if not path.is_file():
        path = published.weights(str(weights))
    try:
        archives.check_weights(path)
        found = _layout(path)
        expected = _layout_of(model)
        if found == expected:
            model.load_weights(path)
    except archives.allowed.Unsafe:
        raise
    except Exception as error:  # h5py and Keras raise many kinds
        reason = first_line(error)
        raise InputError(
            f"{path} is not a whole weights file of {model.name}: {reason}"
        ) from error
    if found != expected:
        differing = sorted(dict(found.items() ^ expected.items()))
        raise InputError(
            f"{path} holds the weights of another architecture than {model.name}: "
            f"they differ in {differing[0]}."
        )


def _layout(path):
    """Each weight's shape and, for layers of the model itself, its layer's name.

    Keras goes by place alone: what is too much in a file it passes over, and it would
    load one modality's weights into another of the same shape. The state of random
    layers and of an optimizer is left out: it does not change an architecture.
    """
    layout = {}

    def visit(key, x):
        state = "seed_generator" in key or key.startswith("optimizer/")
        if isinstance(x, h5py.Dataset) and not state:
            own = key.count("/") == 3  # layers/dense_1/vars/0
            layout[key] = (x.shape, x.parent.attrs.get("name") if own else None)

    with h5py.File(path) as file:
        file.visititems(visit)
    return layout


def _layout_of(model):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, published.WEIGHTS)
        model.save_weights(path)
        return _layout(path)
