import keras
from keras import ops

from keras_fusion.layers.arguments import require_positive
from keras_fusion.layers.attention.masks import kept
from keras_fusion.layers.attention.shapes import (
    require_positions,
    require_window,
    window_of,
)
from keras_fusion.layers.base import Layer
from keras_fusion.ops.pairwise.window import pairwise_window
from keras_fusion.ops.positions import with_last
from keras_fusion.ops.presence import select


@keras.saving.register_keras_serializable("keras_fusion")
class LocalSelfAttention(Layer):
    """Attention of every position to the window around it, in place of a convolution.

    `y_i = sum_o softmax_o(q_i . k_{i+o} + q_i . r_o) v_{i+o}` per head, with a learned
    `r_o` per offset o; on maps one half of it belongs to the row of the offset, the
    other to its column. What lies beyond the edge, and what a mask leaves
    out, gets no weight; the mask passes on.

    Shapes: `(B, T, C)` or `(B, H, W, C)` to `(B, T, U)` or `(B, H, W, U)`. Time and
    memory grow with the positions times the size of the window.

    Args:
        units: Width U of the output, shared by the heads.
        kernel_size: Size of the window, a number or one for each axis; where even, it
            reaches one further to the end, as in a convolution with padding "same".
        num_heads: Number of heads N.
        kernel_initializer, kernel_regularizer: Of every kernel.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> maps = keras.random.normal((2, 8, 8, 6))
    >>> tuple(LocalSelfAttention(units=16, kernel_size=3, num_heads=4)(maps).shape)
    (2, 8, 8, 16)

    Reference: Ramachandran et al., 2019, Stand-Alone Self-Attention in Vision Models.
    """

    def __init__(
        self,
        units: int,
        kernel_size: int | tuple = 7,
        num_heads: int = 1,
        kernel_initializer: str | keras.Initializer = "glorot_uniform",
        kernel_regularizer: str | keras.Regularizer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.units = require_positive(self, "units", units)
        self.kernel_size = kernel_size
        self.num_heads = require_positive(self, "num_heads", num_heads)
        self.kernel_initializer = kernel_initializer
        self.kernel_regularizer = kernel_regularizer

    def build(self, input_shape):
        require_positions(self, input_shape, axes=(1, 2))
        axes = len(input_shape) - 2
        self.window = window_of(self, self.kernel_size, axes)
        head_dim = self.units // self.num_heads
        if self.units % (self.num_heads * axes):
            raise ValueError(
                f"{self.name} cannot share units={self.units} among "
                f"num_heads={self.num_heads} and {axes} axes: choose a multiple of "
                f"{self.num_heads * axes}."
            )
        shape = (input_shape[-1], self.units)
        self.query_kernel = self.add_kernel("query_kernel", shape)
        self.key_kernel = self.add_kernel("key_kernel", shape)
        self.value_kernel = self.add_kernel("value_kernel", shape)
        self.relative = [
            self.add_weight(
                shape=(size, self.num_heads, head_dim // axes),
                initializer=keras.initializers.RandomNormal(stddev=0.05),
                name=f"relative_{axis}",
            )
            for axis, size in enumerate(self.window)
        ]

    def call(self, inputs, mask=None):
        require_window(self, self.window, inputs.shape)
        inputs = self.as_numbers(inputs)
        there = kept(self, inputs, mask)
        inputs = select(inputs, there)
        mixed = pairwise_window(
            self._heads(inputs, self.query_kernel),
            self._heads(inputs, self.key_kernel),
            self._heads(inputs, self.value_kernel),
            self.window,
            relative=self._offsets(),
            mask=None if there is None else there[..., None],
        )
        return with_last(mixed, inputs, self.units)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def _offsets(self):
        """One vector per offset and head: `(K, N, h)`."""
        if len(self.relative) == 1:
            return self.relative[0]
        rows, columns = self.relative
        height, width = self.window
        rows = ops.repeat(rows, width, axis=0)
        columns = ops.tile(columns, (height, 1, 1))
        return ops.concatenate([rows, columns], axis=-1)

    def _heads(self, x, kernel):
        """`(B, *S, N, h)`."""
        return with_last(x @ kernel, x, self.num_heads, self.units // self.num_heads)
