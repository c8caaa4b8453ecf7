"""Models whose operators keep less of what they compute."""

from collections.abc import Callable

import keras

from keras_fusion.experiments import fine_tuning
from keras_fusion.layers.base import Layer


def recomputing(build: Callable[[], keras.Model]) -> keras.Model:
    """The model that `build` makes, whose operators compute again for the gradients.

    So do all layers of the library with weights that learn, attention among them. What
    comes between a layer's inputs and its outputs is not kept from the forward pass.
    It is `keras.RematScope`; the numbers are the same, and steps take longer.
    """
    names = _Names()
    with keras.RematScope("list_of_layers", layer_names=names):
        model = build()
    names.known = {x.name for x in fine_tuning.layers_of(model) if _learns(x)}
    return model


class _Names:
    """Names that are known when layers are called; of a list, each layer has a copy."""

    known = frozenset()

    def __contains__(self, name):
        return name in self.known


def _learns(layer):
    """Statistics, which move in a call, would be counted twice."""
    if not isinstance(layer, Layer):
        return False
    return bool(layer.weights) and all(w.trainable for w in layer.weights)
