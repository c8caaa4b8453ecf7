import keras

from keras_fusion.layers.fusion.base import Fusion
from keras_fusion.ops.pooling import pool


@keras.saving.register_keras_serializable("keras_fusion")
class Summation(Fusion):
    """Sum of the modalities, `y = sum_m x_m`.

    Before a softmax, as in `FusionClassifier(fusion="Summation")`, it is a product of
    categorical experts: the logits of all add up, so that `p ~ p_0 prod_m (p_m / p_0)`
    over what is present, `p_m` the answer to modality m alone and `p_0` that to none.

    Shapes: M tensors `(B, ..., D_m)` to `(B, ..., U)`. The sum runs over the present
    modalities and is not rescaled.

    Args:
        units: Common width U, needed where widths differ.
        **kwargs: As for `Fusion`.

    Example:

    >>> a, b = keras.ops.ones((2, 4)), keras.ops.ones((2, 4))
    >>> float(Summation()([a, b])[0, 0])
    2.0

    Reference: Hinton, 2002, Training Products of Experts by Minimizing Contrastive
    Divergence.
    """

    def fuse(self, inputs, present, query=None, training=None):
        return pool(inputs, present, "sum"), None
