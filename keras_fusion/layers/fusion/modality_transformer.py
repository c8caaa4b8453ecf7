from collections.abc import Callable

import keras

from keras_fusion.layers.arguments import (
    require_choice,
    require_fraction,
    require_positive,
)
from keras_fusion.layers.base import fresh
from keras_fusion.layers.dropout import Dropout
from keras_fusion.layers.fusion.base import Fusion
from keras_fusion.layers.fusion.checks import check_heads
from keras_fusion.layers.fusion.modality_attention import ModalityAttention
from keras_fusion.layers.fusion.transformer import apply, mlp, seed_of
from keras_fusion.ops.pooling import pool


@keras.saving.register_keras_serializable("keras_fusion")
class ModalityTransformer(Fusion):
    """Transformer block over the modalities, at each position by itself.

    `y_m = x_m + Attention(LN(x))_m`, `z_m = y_m + MLP(LN(y_m))` with the modalities as
    the tokens, all weights shared by them; `normalize_first=False` normalizes after
    each sum instead. `readout=None` returns the M streams `z_m`, so that blocks stack.

    Shapes: M tensors `(B, ..., D_m)` to `(B, ..., U)`, or the list of M of them.
    Raw weights: `(B, ..., N, M, M)` float32, as those of `ModalityAttention`. An absent
    modality is no key; its stream and its query row are zero.

    Args:
        units: Common width U, needed where widths differ.
        intermediate_dim: Hidden width of the MLP; None takes 4 U.
        num_heads: Number of heads N, a divisor of U.
        readout: `"sum"`, `"mean"`, `"max"` over the streams present, or None.
        dropout: Rate for attention weights and for what each half adds.
        activation: Of the hidden layer.
        layer_norm_epsilon: Added to the variance.
        normalize_first: Pre-norm (True) or post-norm.
        modality_embedding: Whether to add a learned vector to each modality.
        seed: Of the dropout.
        **kwargs: As for `Fusion`.

    Example:

    >>> modalities = [keras.random.normal((2, 8)) for _ in range(3)]
    >>> streams = ModalityTransformer(num_heads=2, readout=None)(modalities)
    >>> len(streams), tuple(ModalityTransformer()(streams).shape)
    (3, (2, 8))

    Reference: Vaswani et al., 2017, Attention Is All You Need; Xiong et al., 2020, On
    Layer Normalization in the Transformer Architecture (pre-norm).
    """

    refines = True
    has_weights = True
    choices = {"num_heads": (1, 2, 4), "readout": ("mean", "max")}

    def __init__(
        self,
        units: int | None = None,
        intermediate_dim: int | None = None,
        num_heads: int = 1,
        readout: str | None = "mean",
        dropout: float = 0.0,
        activation: str | Callable = "gelu",
        layer_norm_epsilon: float = 1e-5,
        normalize_first: bool = True,
        modality_embedding: bool = False,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(units, **kwargs)
        self.intermediate_dim = require_positive(
            self, "intermediate_dim", intermediate_dim, optional=True
        )
        self.num_heads = require_positive(self, "num_heads", num_heads)
        self.readout = require_choice(
            self, "readout", readout, ("sum", "mean", "max", None)
        )
        self.dropout = require_fraction(self, "dropout", dropout)
        self.activation = activation
        self.layer_norm_epsilon = layer_norm_epsilon
        self.normalize_first = normalize_first
        self.modality_embedding = modality_embedding
        self.seed = seed

    def build(self, input_shape):
        super().build(input_shape)
        width = self.output_width(input_shape)
        self.attention = ModalityAttention(
            num_heads=self.num_heads,
            readout=None,
            modality_embedding=self.modality_embedding,
            dropout=self.dropout,
            seed=seed_of(self, "attention"),
            use_bias=self.use_bias,
            kernel_initializer=fresh(self.kernel_initializer),
            kernel_regularizer=self.kernel_regularizer,
            dtype=self.dtype_policy,
            name="attention",
        )
        self.attention.build([(None, width)] * self.num_modalities)
        self.norms = [
            self.layer_norm(name, width, self.layer_norm_epsilon)
            for name in ("attention_norm", "mlp_norm")
        ]
        self.mlp = mlp(self, width)
        self.dropout_layer = Dropout(
            self.dropout, seed=self.seed, name="dropout", dtype=self.dtype_policy
        )

    def fuse(self, inputs, present, query=None, training=None):
        weights = None

        def attend(streams):
            nonlocal weights
            mixed, weights = self.attention.fuse(
                present.select(streams), present, training=training
            )
            return mixed

        streams = self._residual(self.norms[0], attend, inputs, training)
        streams = self._residual(self.norms[1], self._feed_forward, streams, training)
        if self.readout:
            streams = pool(streams, present, self.readout)
        return streams, weights

    def check_widths(self, widths):
        super().check_widths(widths)
        check_heads(self, self.units or widths[0])

    def _residual(self, norm, function, streams, training):
        """`x + function(norm(x))` stream by stream, or `norm(x + function(x))`."""
        normed = [norm(x) for x in streams] if self.normalize_first else streams
        added = [self.dropout_layer(x, training=training) for x in function(normed)]
        streams = [x + a for x, a in zip(streams, added)]
        return streams if self.normalize_first else [norm(x) for x in streams]

    def _feed_forward(self, streams):
        return [apply(self.mlp, x) for x in streams]
