import keras
from keras import ops

from keras_fusion.layers.attention.shapes import require_positions
from keras_fusion.layers.base import Layer


@keras.saving.register_keras_serializable("keras_fusion")
class ChannelScale(Layer):
    """A learned weight per channel, the same for every input.

    `y = gamma * x`, batch normalization's gamma alone. Starts as the identity.

    Shapes: `(B, C)` vectors, `(B, T, C)`, `(B, H, W, C)` or `(B, T, H, W, C)` to the
    same shape.

    Args:
        gamma_initializer, gamma_regularizer: Of the weights.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> maps = keras.random.normal((2, 8, 8, 3))
    >>> tuple(ChannelScale()(maps).shape)
    (2, 8, 8, 3)

    Reference: Ioffe and Szegedy, 2015, Batch Normalization.
    """

    def __init__(
        self,
        gamma_initializer: str | keras.Initializer = "ones",
        gamma_regularizer: str | keras.Regularizer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.gamma_initializer = gamma_initializer
        self.gamma_regularizer = gamma_regularizer

    def build(self, input_shape):
        require_positions(self, input_shape, axes=(0, 1, 2, 3))
        self.input_spec = keras.layers.InputSpec(axes={-1: input_shape[-1]})
        self.gamma = self.add_weight(
            shape=(input_shape[-1],),
            initializer=keras.initializers.get(self.gamma_initializer),
            regularizer=keras.regularizers.get(self.gamma_regularizer),
            name="gamma",
        )

    def call(self, inputs):
        inputs = self.as_numbers(inputs)
        return inputs * ops.cast(self.gamma, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)
