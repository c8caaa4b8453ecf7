import keras

from keras_fusion.layers.fusion.base import Fusion
from keras_fusion.ops.pooling import pool


@keras.saving.register_keras_serializable("keras_fusion")
class Maximum(Fusion):
    """Largest of the present modalities, feature by feature, `y = max_m x_m`.

    Shapes: M tensors `(B, ..., D_m)` to `(B, ..., U)`.

    Args:
        units: Common width U, needed where widths differ.
        **kwargs: As for `Fusion`.

    Example:

    >>> a, b = keras.ops.ones((2, 4)), keras.ops.zeros((2, 4))
    >>> float(Maximum()([a, b])[0, 0])
    1.0
    """

    def fuse(self, inputs, present, query=None, training=None):
        return pool(inputs, present, "max"), None
