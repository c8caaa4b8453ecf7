"""What the layers share: their configuration and kernels."""

import inspect
import itertools

import keras


def own_arguments(layer) -> dict:
    """The constructor arguments of `layer`, each stored unchanged under its name.

    For `get_config`: Keras' automatic one breaks on a `DTypePolicy` as argument.
    """
    ours = itertools.takewhile(
        lambda c: c is not keras.layers.Layer, type(layer).__mro__
    )
    return {
        name: getattr(layer, name)
        for cls in ours
        for name in inspect.signature(cls.__init__).parameters
        if name not in ("self", "args", "kwargs")
    }


def fresh(initializer):
    """An initializer of its own: one instance would draw the same values twice."""
    found = keras.initializers.get(initializer)
    return found.clone() if hasattr(found, "clone") else found


def add_kernel(layer, name, shape, initializer=None):
    """A weight with the layer's `kernel_initializer` and `kernel_regularizer`.

    Args:
        initializer: In place of the layer's.
    """
    return layer.add_weight(
        shape=shape,
        initializer=fresh(initializer or layer.kernel_initializer),
        regularizer=keras.regularizers.get(layer.kernel_regularizer),
        name=name,
    )
