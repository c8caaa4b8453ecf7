import functools

import keras
from keras import ops

from keras_fusion.layers.fusion.base import Fusion
from keras_fusion.ops.presence import select


@keras.saving.register_keras_serializable("keras_fusion")
class Product(Fusion):
    """Elementwise product of the present modalities, `y = prod_m x_m`.

    Shapes: M tensors `(B, ..., D_m)` to `(B, ..., U)`. An absent modality is a factor
    of one.

    Args:
        units: Common width U, needed where widths differ.
        **kwargs: As for `Fusion`.

    Example:

    >>> a, b = 2 * keras.ops.ones((2, 4)), 3 * keras.ops.ones((2, 4))
    >>> float(Product()([a, b])[0, 0])
    6.0
    """

    def fuse(self, inputs, present, query=None, training=None):
        if present is not None:
            inputs = [select(x, p, 1) for x, p in zip(inputs, present)]
        return functools.reduce(ops.multiply, inputs), None
