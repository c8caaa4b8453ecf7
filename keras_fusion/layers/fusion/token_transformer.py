from collections.abc import Callable

from keras_fusion.layers.arguments import (
    require_choice,
    require_fraction,
    require_positive,
)
from keras_fusion.layers.fusion.base import Fusion
from keras_fusion.layers.fusion.checks import check_heads
from keras_fusion.layers.fusion.transformer import dropouts


class TokenTransformer(Fusion):
    """Base of the pre-norm transformer blocks over sets of tokens.

    Args:
        units: Common width U, needed where widths differ.
        intermediate_dim: Hidden width of an MLP; None takes 4 U.
        num_heads: Number of heads N, a divisor of U.
        readout: `"mean"` or `"max"` over the tokens present of all modalities, or None
            for the list of M streams, so that blocks stack.
        dropout: Rate for attention weights and for what each half of the block adds.
        stochastic_depth: Rate in [0, 1) at which a sample skips a half of the block.
        activation: Of the hidden layer of an MLP.
        layer_norm_epsilon: Added to the variance.
        seed: Of the dropout.
        **kwargs: As for `Fusion`.
    """

    takes = "tokens"
    refines = True
    has_weights = True
    choices = {"num_heads": (1, 2, 4)}
    readouts = ("mean", "max", None)

    def __init__(
        self,
        units: int | None = None,
        intermediate_dim: int | None = None,
        num_heads: int = 1,
        readout: str | None = "mean",
        dropout: float = 0.0,
        stochastic_depth: float = 0.0,
        activation: str | Callable = "gelu",
        layer_norm_epsilon: float = 1e-5,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(units, **kwargs)
        self.intermediate_dim = require_positive(
            self, "intermediate_dim", intermediate_dim, optional=True
        )
        self.num_heads = require_positive(self, "num_heads", num_heads)
        self.readout = require_choice(self, "readout", readout, self.readouts)
        self.dropout = require_fraction(self, "dropout", dropout)
        self.stochastic_depth = require_fraction(
            self, "stochastic_depth", stochastic_depth
        )
        self.activation = activation
        self.layer_norm_epsilon = layer_norm_epsilon
        self.seed = seed

    def build(self, input_shape):
        super().build(input_shape)
        self.dropouts = dropouts(self)

    def check_widths(self, widths):
        super().check_widths(widths)
        check_heads(self, self.units or widths[0])
