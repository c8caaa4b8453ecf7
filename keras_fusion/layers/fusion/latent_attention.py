import keras
from keras import ops

from keras_fusion.layers.arguments import (
    require_choice,
    require_fraction,
    require_positive,
)
from keras_fusion.layers.dropout import Dropout
from keras_fusion.layers.fusion.base import Fusion
from keras_fusion.layers.fusion.checks import check_heads
from keras_fusion.ops.tokens import (
    TokenWeights,
    attend,
    join_heads,
    split_heads,
    token_spans,
)


@keras.saving.register_keras_serializable("keras_fusion")
class LatentAttention(Fusion):
    """A few learned queries read the tokens of all modalities.

    `z = O Attention(q W_q + b; [x_1 ; ... ; x_M] W_k, [x_1 ; ... ; x_M] W_v + c)`, `q`
    K learned latents, one softmax over the tokens of all modalities; `y` is the mean of
    the K rows of `z`. Its cost is linear in the tokens, which never ask each other.
    With one latent and one token in every modality it is
    `ModalityAttention(readout="query")`. Perceiver has normalizations before it, adds
    the latents to what they read, and goes on with an MLP, which are not here.

    Shapes: M sets `(B, T_m, D_m)`, any numbers of tokens, to `(B, U)`, or with
    `readout=None` to the latents themselves, `(B, K, U)`. Raw weights: `(B, N, K, M)`
    float32: how much of each latent's attention went to each modality. A row sums to
    one. Absent tokens are no keys.

    Args:
        units: Common width U, needed where widths differ.
        num_latents: Number of latents K.
        num_heads: Number of heads N, a divisor of U.
        readout: `"mean"` or `"max"` over the latents, or None.
        modality_embedding: Whether to add a learned vector to the tokens of each
            modality.
        dropout: Rate for the attention weights.
        seed: Of the dropout.
        **kwargs: As for `Fusion`.

    Example:

    >>> video, audio = keras.random.normal((2, 9, 8)), keras.random.normal((2, 5, 8))
    >>> tuple(LatentAttention(num_latents=4)([video, audio]).shape)
    (2, 8)
    >>> tuple(LatentAttention(num_latents=4, readout=None)([video, audio]).shape)
    (2, 4, 8)

    References: Jaegle et al., 2021, Perceiver: General Perception with Iterative
    Attention. Li et al., 2023, BLIP-2 (learned queries that read a pretrained encoder).
    """

    takes = "tokens"
    has_weights = True
    attends_to_tokens = True
    searched = False
    choices = {"num_heads": (1, 2, 4), "num_latents": (1, 4, 8)}

    def __init__(
        self,
        units: int | None = None,
        num_latents: int = 8,
        num_heads: int = 1,
        readout: str | None = "mean",
        modality_embedding: bool = False,
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(units, **kwargs)
        self.num_latents = require_positive(self, "num_latents", num_latents)
        self.num_heads = require_positive(self, "num_heads", num_heads)
        self.readout = require_choice(self, "readout", readout, ("mean", "max", None))
        self.modality_embedding = modality_embedding
        self.dropout = require_fraction(self, "dropout", dropout)
        self.seed = seed

    def build(self, input_shape):
        super().build(input_shape)
        width = self.output_width(input_shape)
        self.latents = self._vectors("latents", self.num_latents, width)
        if self.modality_embedding:
            self.embeddings = self._vectors("embeddings", self.num_modalities, width)
        shape = (None, width)
        self.query_dense = self.dense("query", width, shape)
        # A bias that all keys share would cancel in the softmax.
        self.key_dense = self.dense("key", width, shape, use_bias=False)
        self.value_dense = self.dense("value", width, shape)
        self.output_dense = self.dense("output", width, shape)
        self.dropout_layer = Dropout(
            self.dropout, seed=self.seed, name="dropout", dtype=self.dtype_policy
        )

    def fuse(self, inputs, present, query=None, training=None):
        spans, there = token_spans(inputs), present.tokens(inputs)
        if self.modality_embedding:
            inputs = [x + self.embeddings[m] for m, x in enumerate(inputs)]
        tokens = ops.concatenate(inputs, axis=1)  # (B, T, U)
        keys, values = (
            split_heads(dense(tokens), self.num_heads)
            for dense in (self.key_dense, self.value_dense)
        )  # (B, N, T, h)
        queries = split_heads(self.query_dense(self.latents[None]), self.num_heads)
        queries = ops.zeros_like(keys[:, :, :1]) + queries  # (B, N, K, h)
        drop = None
        if training and self.dropout:
            drop = self._drop
        attended, weights = attend(queries, keys, values, there, drop)

        return self._read(join_heads(attended)), TokenWeights(weights, spans)

    def compute_output_shape(self, input_shape):
        batch, width = super().compute_output_shape(input_shape)
        return (batch, width) if self.readout else (batch, self.num_latents, width)

    def check_widths(self, widths):
        super().check_widths(widths)
        check_heads(self, self.units or widths[0])

    def _read(self, attended):
        """From `(B, K, U)` to the output; the mean commutes with the projection."""
        if self.readout == "mean":
            return self.output_dense(ops.mean(attended, axis=1))
        latents = self.output_dense(attended)
        return ops.max(latents, axis=1) if self.readout else latents

    def _drop(self, weights):
        return self.dropout_layer(weights, training=True)

    def _vectors(self, name, count, width):
        return self.add_weight(
            shape=(count, width), initializer="random_normal", name=name
        )
