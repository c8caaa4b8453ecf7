from collections.abc import Callable

import keras

from keras_fusion.layers.arguments import require_positive
from keras_fusion.layers.attention.masks import position_means
from keras_fusion.layers.attention.shapes import require_positions
from keras_fusion.layers.base import Layer


@keras.saving.register_keras_serializable("keras_fusion")
class SqueezeExcitation(Layer):
    """A weight per channel, computed from the means of all channels.

    `y = x * sigmoid(W_2 relu(W_1 mean(x)))`, the mean over all positions that a
    mask keeps; it passes on.
    `AdaptiveWeighting(gate="sigmoid")` does the same for several modalities.

    Shapes: `(B, T, C)`, `(B, H, W, C)` or `(B, T, H, W, C)` to the same shape.

    Args:
        ratio: How many times narrower than C the hidden layer is.
        activation: Of the hidden layer.
        use_bias: Whether both layers have a bias.
        kernel_initializer, kernel_regularizer: Of both kernels.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> maps = keras.random.normal((2, 8, 8, 32))
    >>> tuple(SqueezeExcitation(ratio=4)(maps).shape)
    (2, 8, 8, 32)

    Reference: Hu, Shen and Sun, 2018, Squeeze-and-Excitation Networks.
    """

    def __init__(
        self,
        ratio: int = 16,
        activation: str | Callable = "relu",
        use_bias: bool = True,
        kernel_initializer: str | keras.Initializer = "glorot_uniform",
        kernel_regularizer: str | keras.Regularizer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.ratio = require_positive(self, "ratio", ratio)
        self.activation = activation
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.kernel_regularizer = kernel_regularizer

    def build(self, input_shape):
        require_positions(self, input_shape)
        channels = input_shape[-1]
        hidden = max(1, channels // self.ratio)
        self.squeeze = self.dense(
            "squeeze", hidden, (None, channels), activation=self.activation
        )
        self.excite = self.dense(
            "excite", channels, (None, hidden), activation="sigmoid"
        )

    def call(self, inputs, mask=None):
        inputs = self.as_numbers(inputs)
        means = position_means(self, inputs, mask)  # (B, 1, ..., C)
        return inputs * self.excite(self.squeeze(means))

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)
