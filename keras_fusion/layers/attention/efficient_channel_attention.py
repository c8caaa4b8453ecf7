import math

import keras
from keras import ops

from keras_fusion.layers.attention.masks import position_means
from keras_fusion.layers.attention.shapes import require_positions
from keras_fusion.layers.base import Layer, fresh


@keras.saving.register_keras_serializable("keras_fusion")
class EfficientChannelAttention(Layer):
    """A weight per channel, computed from the means of its neighbors among channels.

    `y = x * sigmoid(conv(mean(x)))`: a one-dimensional convolution along the channels,
    without bias, of the means over all positions that a mask keeps; it passes on.

    Shapes: `(B, T, C)`, `(B, H, W, C)` or `(B, T, H, W, C)` to the same shape.

    Args:
        kernel_size: Odd number of channels that a weight depends on; None takes the
            odd number next to `log2(C) / 2 + 1 / 2`.
        kernel_initializer, kernel_regularizer: Of the convolution.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> maps = keras.random.normal((2, 8, 8, 32))
    >>> tuple(EfficientChannelAttention()(maps).shape)
    (2, 8, 8, 32)

    Reference: Wang, Wu, Zhu, Li, Zuo and Hu, 2020, ECA-Net.
    """

    def __init__(
        self,
        kernel_size: int | tuple | None = None,
        kernel_initializer: str | keras.Initializer = "glorot_uniform",
        kernel_regularizer: str | keras.Regularizer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        odd = kernel_size is None or (type(kernel_size) is int and kernel_size % 2 == 1)
        if not odd or (kernel_size is not None and kernel_size < 1):
            raise ValueError(
                "EfficientChannelAttention expects kernel_size to be an odd positive "
                f"integer; received {kernel_size!r}."
            )
        self.kernel_size = kernel_size
        self.kernel_initializer = kernel_initializer
        self.kernel_regularizer = kernel_regularizer

    def build(self, input_shape):
        require_positions(self, input_shape)
        self.convolution = keras.layers.Conv1D(
            1,
            self.kernel_size or _next_odd(math.log2(input_shape[-1]) / 2 + 0.5),
            padding="same",
            activation="sigmoid",
            use_bias=False,
            kernel_initializer=fresh(self.kernel_initializer),
            kernel_regularizer=self.kernel_regularizer,
            data_format="channels_last",
            dtype=self.dtype_policy,
            name="convolution",
        )
        self.convolution.build((None, input_shape[-1], 1))

    def call(self, inputs, mask=None):
        inputs = self.as_numbers(inputs)
        means = position_means(self, inputs, mask)  # (B, 1, ..., C)
        line = ops.reshape(means, (-1, inputs.shape[-1], 1))
        weights = self.convolution(line)  # (B, C, 1)
        return inputs * ops.reshape(weights, (-1, *means.shape[1:]))

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)


def _next_odd(x):
    """As the paper's code: the whole part of x, or one more where that is even."""
    whole = int(x)
    return whole if whole % 2 else whole + 1
