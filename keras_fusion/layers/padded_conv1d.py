import keras

from keras_fusion.ops.presence import select


@keras.saving.register_keras_serializable("keras_fusion")
class PaddedConv1D(keras.layers.Conv1D):
    """A `Conv1D` to which padding is zero, as is what lies outside the sequence.

    Shapes: `(B, T, D)` to `(B, T, filters)` with `padding="same"` and no strides. A
    mask `(B, T)` keeps padding from the tokens that are kept, and passes on.

    Args:
        *args, **kwargs: For `keras.layers.Conv1D`.

    Example:

    >>> layer = PaddedConv1D(1, 3, padding="same", kernel_initializer="ones")
    >>> x, mask = keras.ops.ones((1, 3, 1)), [[True, True, False]]
    >>> y = layer(x, mask=keras.ops.convert_to_tensor(mask))
    >>> keras.ops.convert_to_numpy(y)[0, 1, 0].item()
    2.0
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        there = None if mask is None else keras.ops.expand_dims(mask, axis=-1)
        return super().call(select(inputs, there))
