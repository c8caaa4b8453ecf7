from collections.abc import Callable

import keras
from keras import ops

from keras_fusion.layers.arguments import require_fraction, require_positive
from keras_fusion.layers.base import Layer
from keras_fusion.layers.fusion.transformer import (
    NormedHeads,
    ResidualHalves,
    dropouts,
    dropper,
    weight_dropper,
)
from keras_fusion.ops.presence import select
from keras_fusion.ops.tokens import attend


@keras.saving.register_keras_serializable("keras_fusion")
class TokenAttention(Layer):
    """A pre-norm transformer block in which every token attends to all tokens.

    `y = x + O Attention(LN(x))`, `z = y + MLP(LN(y))`. It knows no order: a
    `PositionEmbedding` in front of it says where a token stands.

    Shapes: `(B, T, D)` to the same. A mask `(B, T)` keeps padding from the tokens that
    are kept, gives zeros where there is padding, and passes on.

    Args:
        num_heads: Number of heads, a divisor of D.
        intermediate_dim: Hidden width of the MLP; None takes 4 D.
        dropout: Rate for attention weights and for what each half of the block adds.
        activation: Of the hidden layer of the MLP.
        layer_norm_epsilon: Added to the variance.
        seed: Of the dropout.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> tokens = keras.layers.Embedding(9, 4, mask_zero=True)(np.array([[3, 5, 0, 0]]))
    >>> mixed = TokenAttention(num_heads=2)(tokens)
    >>> tuple(mixed.shape), bool(keras.ops.all(mixed[:, 2:] == 0))
    ((1, 4, 4), True)

    Reference: Vaswani et al., 2017, Attention Is All You Need.
    """

    # What the parts that it shares with the operators on tokens ask for.
    use_bias, kernel_initializer, kernel_regularizer = True, "glorot_uniform", None
    stochastic_depth = 0.0

    def __init__(
        self,
        num_heads: int = 1,
        intermediate_dim: int | None = None,
        dropout: float = 0.0,
        activation: str | Callable = "gelu",
        layer_norm_epsilon: float = 1e-5,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.num_heads = require_positive(self, "num_heads", num_heads)
        self.intermediate_dim = require_positive(
            self, "intermediate_dim", intermediate_dim, optional=True
        )
        self.dropout = require_fraction(self, "dropout", dropout)
        self.activation = activation
        self.layer_norm_epsilon = layer_norm_epsilon
        self.seed = seed

    def build(self, input_shape):
        width = input_shape[-1]
        if len(input_shape) != 3 or width is None or width % self.num_heads:
            raise ValueError(
                f"{self.name} expects tokens (B, T, D) with D a multiple of num_heads="
                f"{self.num_heads}; received shape {tuple(input_shape)}."
            )
        self.heads = NormedHeads(self, "heads", width)
        self.halves = ResidualHalves(self, "halves", width)
        self.dropouts = dropouts(self)

    def call(self, inputs, mask=None, training=None):
        there = None if mask is None else ops.expand_dims(mask, axis=-1)
        training = self.resolve_training(training)
        tokens = select(self.as_numbers(inputs), there)
        drop_weights = weight_dropper(self, training)
        attended, _ = attend(*self.heads(tokens), there, drop_weights)
        drop = dropper(self.dropouts, training)
        return select(self.halves(tokens, attended=attended, drop=drop), there)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)
