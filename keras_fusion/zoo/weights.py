"""Trained weights, by the name of the recipe that made them or by path."""

from pathlib import Path

import keras

from keras_fusion import recipes
from keras_fusion.catalogue import find

FILE = "model.weights.h5"


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
        known = {
            name: recipes.folder() / name / FILE
            for name in recipes.names()
            if (recipes.folder() / name / FILE).is_file()
        }
        path = find("weights file or trained recipe", str(weights), known)
    try:
        model.load_weights(path)
    except Exception as error:  # h5py and Keras raise many kinds
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f"{path} is not a whole weights file of {model.name}: {reason}"
        ) from error
