import keras
from keras import ops

from keras_fusion.layers.fusion.token_transformer import TokenTransformer
from keras_fusion.layers.fusion.transformer import (
    NormedHeads,
    ResidualHalves,
    dropper,
    weight_dropper,
)
from keras_fusion.ops.tokens import (
    TokenWeights,
    attend,
    pool_tokens,
    select_queries,
    token_spans,
)


@keras.saving.register_keras_serializable("keras_fusion")
class JointAttention(TokenTransformer):
    """Transformer block over the tokens of all modalities together.

    With `x = [x_1 + e_1 ; ... ; x_M + e_M]`, the tokens one below the other and `e_m` a
    learned embedding of modality m: `y = x + O Attention(LN(x))`,
    `z = y + MLP(LN(y))`, all other weights shared. `readout=None` returns the M
    streams, the tokens `z` of each modality, so that blocks stack.

    Shapes: M sets `(B, T_m, D_m)`, any numbers of tokens, to `(B, U)`, or the list of
    M streams `(B, T_m, U)`. Raw weights: `(B, N, T, M)` float32, T the tokens of all
    modalities in order: how much of each token's attention went to each modality. A
    row sums to one; that of an absent token is zero. Absent tokens are no keys, and
    their streams are zero. `return_weights="tokens"` returns `(B, N, T, T)`.

    Args:
        **kwargs: `units`, `intermediate_dim`, `num_heads`, `readout`, `dropout`,
            `stochastic_depth`, `activation`, `layer_norm_epsilon`, `seed` as for
            `TokenTransformer`, the others as for `Fusion`.

    Example:

    >>> rgb, audio = keras.random.normal((2, 9, 8)), keras.random.normal((2, 5, 8))
    >>> fused, weights = JointAttention()([rgb, audio], return_weights=True)
    >>> tuple(fused.shape), tuple(weights.shape)
    ((2, 8), (2, 1, 14, 2))

    Reference: Vaswani et al., 2017, Attention Is All You Need; Su et al., 2020,
    VL-BERT (one sequence, an embedding for each kind of token).
    """

    attends_to_tokens = True
    takes_attention_mask = True

    def build(self, input_shape):
        super().build(input_shape)
        width = self.output_width(input_shape)
        self.embeddings = self.add_weight(
            shape=(self.num_modalities, width),
            initializer="random_normal",
            name="embeddings",
        )
        self.heads = NormedHeads(self, "heads", width)
        self.halves = ResidualHalves(self, "halves", width)

    def fuse(self, inputs, present, query=None, training=None, attention_mask=None):
        spans = token_spans(inputs)
        there = present.tokens(inputs)
        tokens = [x + self.embeddings[m] for m, x in enumerate(inputs)]
        tokens = ops.concatenate(tokens, axis=1)  # (B, T, U)
        drop_weights = weight_dropper(self, training)
        attended, weights = attend(
            *self.heads(tokens), there, drop_weights, attention_mask
        )
        drop = dropper(self.dropouts, training)
        tokens = self.halves(tokens, attended=attended, drop=drop)

        def of_tokens():
            return select_queries(weights(), there)

        shares = TokenWeights(of_tokens, spans)
        streams = [tokens[:, start:end] for start, end in spans]
        if self.readout:
            return pool_tokens(streams, present, self.readout), shares
        return streams, shares
