import keras

from keras_fusion.layers.arguments import require_fraction, require_positive
from keras_fusion.layers.base import Layer
from keras_fusion.layers.dropout import Dropout


@keras.saving.register_keras_serializable("keras_fusion")
class ResidualMLP(Layer):
    """A residual block of two dense layers: `x + W_2 dropout(gelu(W_1 LN(x)))`.

    Shapes: `(B, ..., D)` to the same; every position is for itself. A mask passes
    through.

    Args:
        intermediate_dim: Width between the two layers; None is D.
        dropout: Rate between them.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> tuple(ResidualMLP(intermediate_dim=16)(keras.ops.ones((2, 8))).shape)
    (2, 8)

    Reference: Gorishniy et al., 2021, Revisiting Deep Learning Models for Tabular Data.
    """

    def __init__(
        self, intermediate_dim: int | None = None, dropout: float = 0.0, **kwargs
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.intermediate_dim = intermediate_dim
        self.dropout = require_fraction(self, "dropout", dropout)
        self._hidden = require_positive(
            self, "intermediate_dim", intermediate_dim, optional=True
        )

    def build(self, input_shape):
        shape, width = tuple(input_shape), input_shape[-1]
        hidden = self._hidden or width
        policy = self.dtype_policy
        self.norm = self.layer_norm("norm", width)
        self.first = keras.layers.Dense(
            hidden, activation="gelu", dtype=policy, name="hidden"
        )
        self.drop = Dropout(self.dropout, dtype=policy, name="dropout")
        self.second = keras.layers.Dense(width, dtype=policy, name="output")
        self.first.build(shape)
        self.second.build((*shape[:-1], hidden))

    def call(self, inputs, training=None):
        inputs = self.as_numbers(inputs)
        training = self.resolve_training(training)
        hidden = self.drop(self.first(self.norm(inputs)), training=training)
        return inputs + self.second(hidden)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)
