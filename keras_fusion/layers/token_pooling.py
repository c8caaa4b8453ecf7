import keras
from keras import ops

from keras_fusion.layers.base import Layer
from keras_fusion.ops.presence import select


@keras.saving.register_keras_serializable("keras_fusion")
class TokenPooling(Layer):
    """Mean and maximum over the tokens that are there, side by side.

    Shapes: `(B, T, D)` to `(B, 2 D)`. A mask `(B, T)` leaves padding out; a sample
    without any token gives zeros.

    Args:
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> tokens = np.array([[[1.0], [3.0], [9.0]]])
    >>> TokenPooling()(tokens, mask=np.array([[True, True, False]])).tolist()
    [[2.0, 3.0]]
    """

    def call(self, inputs, mask=None):
        inputs = self.as_numbers(inputs)
        if mask is None:
            there, count = None, inputs.shape[1]
        else:
            there = ops.expand_dims(mask, axis=-1)
            count = ops.maximum(ops.sum(ops.cast(there, "float32"), axis=1), 1)
        total = ops.sum(ops.cast(select(inputs, there), "float32"), axis=1)
        mean = ops.cast(total / count, inputs.dtype)
        largest = ops.max(select(inputs, there, -3e4), axis=1)
        if there is not None:
            largest = select(largest, ops.any(there, axis=1))
        return ops.concatenate([mean, largest], axis=-1)

    def compute_mask(self, inputs, previous_mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 2 * input_shape[-1])
