import math

import keras
from keras import ops

from keras_fusion.layers.arguments import require_choice, require_positive
from keras_fusion.layers.attention.masks import kept
from keras_fusion.layers.attention.shapes import (
    require_positions,
    require_window,
    window_of,
)
from keras_fusion.layers.base import Layer
from keras_fusion.ops.diffusion.affinity import constant, dot_product
from keras_fusion.ops.pairwise.window import pairwise_window
from keras_fusion.ops.positions import with_last
from keras_fusion.ops.presence import select


@keras.saving.register_keras_serializable("keras_fusion")
class OffsetAttention(Layer):
    """A convolution whose taps are weighted by attention.

    `y_i = sum_o f(x_i, x_{i+o}) x_{i+o} W_o + b`: a transform per offset o of the
    window, as in a convolution, and a weight per pair and head:

    * `affinity="embedded_gaussian"`: `softmax_o(x_i W_q . x_{i+o} W_k)`;
    * `affinity="constant"`: 1, which is `keras.layers.Conv1D`, `Conv2D` or `Conv3D`
      with padding "same" and the same kernel.

    What lies beyond the edge, and what a mask leaves out, gets no weight; the mask
    passes on.

    Shapes: `(B, T, C)`, `(B, H, W, C)` or `(B, T, H, W, C)` to U channels. Time and
    memory grow with the positions times the size of the window.

    Args:
        units: Width U of the output, shared by the heads.
        kernel_size: Size of the window, a number or one for each axis.
        affinity: See above.
        num_heads: Number of heads N, each with weights of its own.
        use_bias: Whether there is a bias b.
        kernel_initializer, kernel_regularizer: Of every kernel.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> maps = keras.random.normal((2, 8, 8, 6))
    >>> tuple(OffsetAttention(units=16, kernel_size=3, num_heads=4)(maps).shape)
    (2, 8, 8, 16)
    """

    def __init__(
        self,
        units: int,
        kernel_size: int | tuple = 3,
        affinity: str = "embedded_gaussian",
        num_heads: int = 1,
        use_bias: bool = True,
        kernel_initializer: str | keras.Initializer = "glorot_uniform",
        kernel_regularizer: str | keras.Regularizer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.units = require_positive(self, "units", units)
        self.kernel_size = kernel_size
        self.affinity = require_choice(
            self, "affinity", affinity, ("embedded_gaussian", "constant")
        )
        self.num_heads = require_positive(self, "num_heads", num_heads)
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.kernel_regularizer = kernel_regularizer
        if self.units % self.num_heads:
            raise ValueError(
                f"{self.name} cannot share units={self.units} among "
                f"num_heads={self.num_heads}: choose a divisor."
            )

    def build(self, input_shape):
        require_positions(self, input_shape)
        channels = input_shape[-1]
        self.window = window_of(self, self.kernel_size, len(input_shape) - 2)
        if self.affinity != "constant":
            shape = (channels, self.units)
            self.query_kernel = self.add_kernel("query_kernel", shape)
            self.key_kernel = self.add_kernel("key_kernel", shape)
        shape = (*self.window, channels, self.units)  # as a convolution has it
        self.kernel = self.add_kernel("kernel", shape)
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.units,), initializer="zeros", name="bias"
            )

    def call(self, inputs, mask=None):
        require_window(self, self.window, inputs.shape)
        inputs = self.as_numbers(inputs)
        there = kept(self, inputs, mask)
        inputs = select(inputs, there)
        queries = keys = with_last(inputs, inputs, 1, inputs.shape[-1])
        f, normalize = constant, None
        if self.affinity != "constant":
            queries = self._heads(inputs, self.query_kernel)
            keys = self._heads(inputs, self.key_kernel)
            f, normalize = dot_product, "softmax"
        taps = (math.prod(self.window), inputs.shape[-1], self.units)
        kernels = ops.unstack(ops.reshape(self.kernel, taps), taps[0])
        values = [self._heads(inputs, kernel) for kernel in kernels]
        mask = None if there is None else there[..., None]
        mixed = pairwise_window(
            queries, keys, values, self.window, f, normalize, mask=mask
        )
        mixed = with_last(mixed, inputs, self.units)
        return mixed + self.bias if self.use_bias else mixed

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def _heads(self, x, kernel):
        """`(B, *S, N, h)`."""
        heads = self.num_heads, self.units // self.num_heads
        return with_last(ops.matmul(x, kernel), x, *heads)
