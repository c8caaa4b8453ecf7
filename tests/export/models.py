"""Small models to export; the child process imports this module too."""

import keras
import numpy as np
from keras import ops

from keras_fusion import layers

CLASS_NAMES = ["zero", "één"]


@keras.saving.register_keras_serializable("tests")
class Doubling(keras.layers.Layer):
    """A user's own layer."""

    def call(self, x):
        return 2 * x


@keras.saving.register_keras_serializable("tests")
class Own(keras.Model):
    """A user's own model, called with a dict."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.head = keras.layers.Dense(2)

    def call(self, inputs):
        return {"score": self.head(inputs["left"] - inputs["right"])}


class Nameless(keras.layers.Layer):
    """A layer that is not registered."""

    def call(self, x):
        return x


def masked_model(tokens=None):
    # "rgb-d" is no Python name: TensorFlow knows it by two spellings.
    inputs = {
        "rgb-d": keras.Input((tokens, 2), name="rgb-d"),
        "pose": keras.Input((3,), name="pose"),
        "modality_mask": keras.Input((2,), dtype="bool", name="modality_mask"),
    }
    streams = [ops.mean(inputs["rgb-d"], axis=1), Doubling()(inputs["pose"])]
    fuse = layers.Averaging(units=5, name="fusion")
    fused = fuse(streams, modality_mask=inputs["modality_mask"])
    return keras.Model(inputs, keras.layers.Dense(2, name="predictions")(fused))


def plain_model(name="x", **kwargs):
    inputs = keras.Input((3,), name=name)
    return keras.Model({name: inputs}, keras.layers.Dense(2, **kwargs)(inputs))


def samples(rows, tokens=4):
    rng = np.random.default_rng(1)
    return {
        "rgb-d": rng.standard_normal((rows, tokens, 2)).astype("float32"),
        "pose": rng.standard_normal((rows, 3)).astype("float32"),
    }


def ones(rows=2, width=3):
    return np.ones((rows, width), "float32")
