import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_fusion")
class PresentMean(keras.layers.Layer):
    """The mean over the tokens that are there, and whether any is.

    `keras.layers.GlobalAveragePooling1D` divides 0 by 0 where all tokens of a row are
    masked, as in an empty text; here the mean is zeros then.

    Call: `layer(x, mask=None)`

    Shapes: `x` `(B, T, D)` and `mask` `(B, T)` bool (True = keep, None = all; Keras'
    implicit mask is taken) to `(B, D)` and `(B,)` bool.

    Example:

    >>> x, mask = keras.ops.ones((2, 3, 4)), [[True, False, True], [False] * 3]
    >>> mean, there = PresentMean()(x, mask=keras.ops.convert_to_tensor(mask))
    >>> float(mean[0, 0]), float(mean[1, 0]), bool(there[0]), bool(there[1])
    (1.0, 0.0, True, False)
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, x, mask=None):
        if mask is None:
            return ops.mean(x, axis=1), ops.ones_like(x[:, 0, 0], dtype="bool")
        mask = ops.cast(mask, "bool")[..., None]  # (B, T, 1)
        total = ops.sum(ops.where(mask, x, ops.cast(0, x.dtype)), axis=1)
        count = ops.sum(ops.cast(mask, x.dtype), axis=1)  # (B, 1)
        return total / ops.maximum(count, 1), ops.any(mask, axis=(1, 2))

    def compute_mask(self, x, mask=None):
        return None, None  # the tokens are no more

    def compute_output_spec(self, x, mask=None):
        mean = keras.KerasTensor((x.shape[0], x.shape[-1]), dtype=self.compute_dtype)
        return mean, keras.KerasTensor((x.shape[0],), dtype="bool")
