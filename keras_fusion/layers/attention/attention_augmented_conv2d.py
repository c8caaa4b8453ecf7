import keras
from keras import ops

from keras_fusion.layers.arguments import require_positive
from keras_fusion.layers.attention.masks import kept
from keras_fusion.layers.attention.shapes import (
    require_built,
    require_positions,
    require_window,
    window_of,
)
from keras_fusion.layers.base import Layer, fresh
from keras_fusion.ops.diffusion.affinity import dot_product
from keras_fusion.ops.pairwise.all import pairwise_all
from keras_fusion.ops.positions import tokens, with_last
from keras_fusion.ops.presence import select


@keras.saving.register_keras_serializable("keras_fusion")
class AttentionAugmentedConv2D(Layer):
    """Some channels from a convolution, the others from attention to the whole map.

    `[conv(x) | MHA(x) W_o]`, where per head the logits of positions i and j are
    `q_i . (k_j + r_{row j - row i} + r_{column j - column i}) / sqrt(h)`, with learned
    r, one table for the rows and one for the columns, shared by the heads.

    Shapes: `(B, H, W, C)` with known H, W and C to `(B, H, W, U)`; the first
    `U - value_units` channels are the convolution's. Time and memory grow with the
    square of the number of positions. What a mask leaves out is zero to the convolution
    and gets no attention, and the mask passes on.

    Args:
        units: Channels U of the output.
        kernel_size: Of the convolution, whose padding is "same".
        key_units: Width of the queries and keys, shared by the heads.
        value_units: Channels that attention gives, shared by the heads; less than U.
        num_heads: Number of heads.
        use_bias: Whether the convolution has a bias.
        kernel_initializer, kernel_regularizer: Of every kernel.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> layer = AttentionAugmentedConv2D(20, 3, key_units=8, value_units=4, num_heads=2)
    >>> tuple(layer(keras.random.normal((2, 8, 8, 6))).shape)
    (2, 8, 8, 20)

    Reference: Bello et al., 2019, Attention Augmented Convolutional Networks.
    """

    def __init__(
        self,
        units: int,
        kernel_size: int | tuple = 3,
        key_units: int = 8,
        value_units: int = 8,
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
        self.key_units = require_positive(self, "key_units", key_units)
        self.value_units = require_positive(self, "value_units", value_units)
        self.num_heads = require_positive(self, "num_heads", num_heads)
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.kernel_regularizer = kernel_regularizer
        shared = self.key_units % self.num_heads or self.value_units % self.num_heads
        if shared or self.value_units >= self.units:
            raise ValueError(
                f"{self.name} expects key_units and value_units to be multiples of "
                f"num_heads={self.num_heads}, and value_units to be less than "
                f"units={self.units}; received key_units={self.key_units} and "
                f"value_units={self.value_units}."
            )

    def build(self, input_shape):
        require_positions(self, input_shape, axes=(2,), known=True)
        channels, self.positions = input_shape[-1], tuple(input_shape[1:-1])
        window = window_of(self, self.kernel_size, 2)
        require_window(self, window, input_shape)
        self.convolution = keras.layers.Conv2D(
            self.units - self.value_units,
            window,
            padding="same",
            data_format="channels_last",
            use_bias=self.use_bias,
            kernel_initializer=fresh(self.kernel_initializer),
            kernel_regularizer=self.kernel_regularizer,
            dtype=self.dtype_policy,
            name="convolution",
        )
        self.convolution.build(input_shape)
        self.query_kernel = self.add_kernel("query_kernel", (channels, self.key_units))
        self.key_kernel = self.add_kernel("key_kernel", (channels, self.key_units))
        values = self.value_units
        self.value_kernel = self.add_kernel("value_kernel", (channels, values))
        self.output_kernel = self.add_kernel("output_kernel", (values, values))
        head_dim = self.key_units // self.num_heads
        self.row_offsets, self.column_offsets = (
            self.add_weight(
                shape=(2 * size - 1, head_dim),
                initializer=keras.initializers.RandomNormal(stddev=head_dim**-0.5),
                name=name,
            )
            for name, size in zip(("row_offsets", "column_offsets"), self.positions)
        )

    def call(self, inputs, mask=None):
        require_built(self, self.positions, inputs.shape)
        inputs = self.as_numbers(inputs)
        there = kept(self, inputs, mask)
        inputs = select(inputs, there)
        x = tokens(inputs)  # (B, P, C)
        queries = self._heads(x @ self.query_kernel, self.key_units)
        keys = self._heads(x @ self.key_kernel, self.key_units)
        values = self._heads(x @ self.value_kernel, self.value_units)
        queries = queries * queries.shape[-1] ** -0.5

        def affinity(queries, keys):
            return dot_product(queries, keys) + self._relative(queries)

        mask = None if there is None else tokens(there)[:, None, None, :, 0]
        mixed = pairwise_all(queries, keys, values, affinity, mask=mask)
        mixed = with_last(ops.transpose(mixed, (0, 2, 1, 3)), inputs, self.value_units)
        mixed = ops.matmul(mixed, self.output_kernel)
        return ops.concatenate([self.convolution(inputs), mixed], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def _heads(self, x, width):
        """`(B, P, U)` to `(B, N, P, h)`."""
        x = ops.reshape(x, (-1, x.shape[1], self.num_heads, width // self.num_heads))
        return ops.transpose(x, (0, 2, 1, 3))

    def _relative(self, queries):
        """Logits by offset, `(B, N, P, P)` float32."""
        height, width = self.positions
        heads, head_dim = queries.shape[1], queries.shape[-1]
        shape = (-1, heads, height, width, head_dim)
        queries = ops.reshape(ops.cast(queries, "float32"), shape)
        rows = _by_pair(self.row_offsets, height)
        columns = _by_pair(self.column_offsets, width)
        rows = ops.einsum("bnxyh,xuh->bnxyu", queries, rows)[..., None]
        columns = ops.einsum("bnxyh,yvh->bnxyv", queries, columns)[..., None, :]
        return ops.reshape(rows + columns, (-1, heads, *[height * width] * 2))


def _by_pair(offsets, size):
    """From `(2 size - 1, h)` by offset to `(size, size, h)` by pair, float32."""
    positions = ops.arange(size)
    pairs = positions[None] - positions[:, None] + size - 1
    return ops.take(ops.cast(offsets, "float32"), pairs, axis=0)
