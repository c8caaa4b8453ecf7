import keras

from keras_fusion.layers.base import Layer


@keras.saving.register_keras_serializable("keras_fusion")
class WithMask(Layer):
    """The first of two tensors, with the second as the mask that Keras hands on.

    Shapes: `[x, mask]` of `(B, T, D)` and `(B, T)` bool, True = keep, to `(B, T, D)`.

    Args:
        **kwargs: For `keras.layers.Layer`.
    """

    def call(self, inputs):
        return inputs[0]

    def compute_mask(self, inputs, previous_mask=None):
        return inputs[1]

    def compute_output_shape(self, input_shape):
        return input_shape[0]
