import keras
from keras import ops

from keras_fusion.layers.arguments import require_fraction, require_positive
from keras_fusion.layers.base import Layer
from keras_fusion.layers.dropout import Dropout
from keras_fusion.ops.presence import select


@keras.saving.register_keras_serializable("keras_fusion")
class TokenConvolution(Layer):
    """A residual block that mixes neighboring tokens: `x + dropout(gelu(W * LN(x)))`.

    `*` is a convolution over tokens, to which padding is zero, as is what lies outside.

    Shapes: `(B, T, D)` to the same. A mask `(B, T)` keeps padding from the tokens that
    are kept, gives zeros where there is padding, and passes on.

    Args:
        kernel_size: Tokens that are seen at once.
        dropout: Rate of what is added.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> tokens = keras.layers.Embedding(9, 4, mask_zero=True)(np.array([[3, 5, 0, 0]]))
    >>> mixed = TokenConvolution(kernel_size=3)(tokens)
    >>> tuple(mixed.shape), bool(keras.ops.all(mixed[:, 2:] == 0))
    ((1, 4, 4), True)

    Reference: Kim, 2014, Convolutional Neural Networks for Sentence Classification.
    """

    def __init__(self, kernel_size: int | tuple = 3, dropout: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.kernel_size = kernel_size
        self.dropout = require_fraction(self, "dropout", dropout)
        self._kernel_size = require_positive(self, "kernel_size", kernel_size)

    def build(self, input_shape):
        shape, policy = tuple(input_shape), self.dtype_policy
        self.norm = self.layer_norm("norm", shape[-1])
        self.convolution = keras.layers.Conv1D(
            shape[-1],
            self._kernel_size,
            padding="same",
            activation="gelu",
            data_format="channels_last",
            dtype=policy,
            name="convolution",
        )
        self.drop = Dropout(self.dropout, dtype=policy, name="dropout")
        self.convolution.build(shape)

    def call(self, inputs, mask=None, training=None):
        inputs = self.as_numbers(inputs)
        there = None if mask is None else ops.expand_dims(mask, axis=-1)
        training = self.resolve_training(training)
        normal = select(self.norm(select(inputs, there)), there)
        added = self.drop(self.convolution(normal), training=training)
        return select(inputs + added, there)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)
