import functools

import keras
from keras import ops

from keras_fusion.layers.fusion.base import Fusion


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
        return functools.reduce(ops.multiply, present.select(inputs, 1)), None
