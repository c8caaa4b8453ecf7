import keras
from keras import ops

from keras_fusion.layers.arguments import require_choice, require_positive
from keras_fusion.layers.attention.masks import kept
from keras_fusion.layers.attention.shapes import require_positions
from keras_fusion.layers.base import Layer
from keras_fusion.ops.diffusion.affinity import concatenation, dot_product
from keras_fusion.ops.pairwise.all import pairwise_all
from keras_fusion.ops.positions import tokens, with_last
from keras_fusion.ops.presence import select

GAUSSIAN = ("embedded_gaussian", "gaussian")


@keras.saving.register_keras_serializable("keras_fusion")
class NonLocalBlock(Layer):
    """What every position receives from all others, added to it.

    `z_i = x_i + W_z y_i`, `y_i = 1/C sum_j f(x_i, x_j) W_g x_j`, with `affinity`

    * `"embedded_gaussian"`: `f = exp(W_q x_i . W_k x_j)`, C its sum (self-attention);
    * `"gaussian"`: `f = exp(x_i . x_j)`, C its sum;
    * `"dot_product"`: `f = W_q x_i . W_k x_j`, C the number of positions;
    * `"concatenation"`: `f = relu(w . [W_q x_i | W_k x_j])`, C the same.

    `W_z` starts at zero, so a new block is the identity and can be put into a trained
    model.

    Shapes: `(B, T, C)`, `(B, H, W, C)` or `(B, T, H, W, C)` to the same shape. Time and
    memory grow with the square of the number of positions. What a mask leaves out is
    received by none, and the mask passes on.

    Args:
        units: Width of y; None takes half of C.
        affinity: See above.
        kernel_initializer, kernel_regularizer: Of every kernel, but for the zeros of
            `W_z` to start with.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> video = keras.random.normal((1, 4, 8, 8, 6))
    >>> tuple(NonLocalBlock()(video).shape)
    (1, 4, 8, 8, 6)

    Reference: Wang, Girshick, Gupta and He, 2018, Non-local Neural Networks.
    """

    def __init__(
        self,
        units: int | None = None,
        affinity: str = "embedded_gaussian",
        kernel_initializer: str | keras.Initializer = "glorot_uniform",
        kernel_regularizer: str | keras.Regularizer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.units = require_positive(self, "units", units, optional=True)
        self.affinity = require_choice(
            self, "affinity", affinity, (*GAUSSIAN, "dot_product", "concatenation")
        )
        self.kernel_initializer = kernel_initializer
        self.kernel_regularizer = kernel_regularizer

    def build(self, input_shape):
        require_positions(self, input_shape)
        channels = input_shape[-1]
        inner = self.units or max(1, channels // 2)
        if self.affinity != "gaussian":
            self.query_kernel = self.add_kernel("query_kernel", (channels, inner))
            self.key_kernel = self.add_kernel("key_kernel", (channels, inner))
        if self.affinity == "concatenation":
            self.affinity_kernel = self.add_kernel("affinity_kernel", (inner, 2))
        self.value_kernel = self.add_kernel("value_kernel", (channels, inner))
        self.output_kernel = self.add_kernel(
            "output_kernel", (inner, channels), "zeros"
        )

    def call(self, inputs, mask=None):
        inputs = self.as_numbers(inputs)
        there = kept(self, inputs, mask)
        x = tokens(select(inputs, there))  # (B, P, C)
        queries, keys = x, x
        if self.affinity != "gaussian":
            queries, keys = x @ self.query_kernel, x @ self.key_kernel
        if self.affinity == "concatenation":
            queries = queries @ self.affinity_kernel[:, :1]
            keys = keys @ self.affinity_kernel[:, 1:]
        mixed = pairwise_all(
            queries,
            keys,
            x @ self.value_kernel,
            concatenation if self.affinity == "concatenation" else dot_product,
            normalize="softmax" if self.affinity in GAUSSIAN else "mean",
            mask=None if there is None else ops.swapaxes(tokens(there), 1, 2),
        )
        mixed = ops.matmul(mixed, self.output_kernel)
        return inputs + with_last(mixed, inputs, inputs.shape[-1])

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)
