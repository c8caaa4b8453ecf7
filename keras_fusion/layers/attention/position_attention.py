import math

import keras
from keras import ops

from keras_fusion.layers.arguments import require_choice, require_positive
from keras_fusion.layers.attention.masks import kept
from keras_fusion.layers.attention.shapes import require_built, require_positions
from keras_fusion.layers.base import Layer
from keras_fusion.ops.diffusion.affinity import constant, dot_product
from keras_fusion.ops.pairwise.all import pairwise_all
from keras_fusion.ops.positions import tokens, with_last
from keras_fusion.ops.presence import select


@keras.saving.register_keras_serializable("keras_fusion")
class PositionAttention(Layer):
    """Attention of every position to all, with a value transform for each position.

    `y_i = sum_j f(x_i, x_j) x_j W_j + b`, with a weight per pair and head:

    * `affinity="embedded_gaussian"`: `softmax_j(x_i W_q . x_j W_k)`; with equal W_j it
      is self-attention;
    * `affinity="constant"`: 1, which is a `Dense` of all positions flattened, the same
      output at every one.

    Shapes: `(B, T, C)`, `(B, H, W, C)` or `(B, T, H, W, C)`, all but the batch known,
    to U channels. There is a kernel `(C, U)` for every position. What a
    mask leaves out gets no weight, and the mask passes on.

    Args:
        units: Width U of the output, shared by the heads.
        affinity: See above.
        num_heads: Number of heads N, each with weights of its own.
        use_bias: Whether there is a bias b.
        kernel_initializer, kernel_regularizer: Of every kernel.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> tokens = keras.random.normal((2, 6, 8))
    >>> tuple(PositionAttention(units=16, num_heads=4)(tokens).shape)
    (2, 6, 16)
    """

    def __init__(
        self,
        units: int,
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
        require_positions(self, input_shape, known=True)
        channels = input_shape[-1]
        if self.affinity != "constant":
            shape = (channels, self.units)
            self.query_kernel = self.add_kernel("query_kernel", shape)
            self.key_kernel = self.add_kernel("key_kernel", shape)
        self.positions = tuple(input_shape[1:-1])
        shape = (math.prod(self.positions), channels, self.units)
        self.kernel = self.add_kernel("kernel", shape)
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.units,), initializer="zeros", name="bias"
            )

    def call(self, inputs, mask=None):
        require_built(self, self.positions, inputs.shape)
        inputs = self.as_numbers(inputs)
        there = kept(self, inputs, mask)
        x = tokens(select(inputs, there))  # (B, P, C)
        values = ops.matmul(ops.transpose(x, (1, 0, 2)), self.kernel)  # (P, B, U)
        values = self._heads(ops.transpose(values, (1, 0, 2)))
        queries = keys = x[:, None]
        f, normalize = constant, None
        if self.affinity != "constant":
            queries = self._heads(x @ self.query_kernel)
            keys = self._heads(x @ self.key_kernel)
            f, normalize = dot_product, "softmax"
        mask = None if there is None else tokens(there)[:, None, None, :, 0]
        mixed = pairwise_all(queries, keys, values, f, normalize, mask)
        mixed = with_last(ops.transpose(mixed, (0, 2, 1, 3)), inputs, self.units)
        return mixed + self.bias if self.use_bias else mixed

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def _heads(self, x):
        """`(B, P, U)` to `(B, N, P, h)`."""
        x = ops.reshape(
            x, (-1, x.shape[1], self.num_heads, self.units // self.num_heads)
        )
        return ops.transpose(x, (0, 2, 1, 3))
