import keras
from keras import ops

from keras_fusion.layers.arguments import require_choice
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
class CrossAttention(TokenTransformer):
    """Transformer block in which each modality asks the tokens of the others.

    `y_m = x_m + O_m Attention(Q_m LN_m(x_m); K_n LN_n(x_n), V_n LN_n(x_n), n != m)`,
    one softmax over the tokens of all other modalities; `z_m = y_m + MLP_m(LN(y_m))`.
    Every modality has weights of its own. `readout=None` returns the M streams `z_m`,
    so that blocks stack.

    Shapes: M >= 2 sets `(B, T_m, D_m)`, any numbers of tokens, to `(B, U)`, or the list
    of M streams `(B, T_m, U)`. Raw weights: `(B, N, T, M)` float32, T the tokens of all
    modalities that ask, in order: how much of each token's attention went to each
    modality, nothing to its own. A row sums to one; it is zero for an absent token and
    where no other modality is present. Absent tokens are no keys, and their streams
    are zero. `return_weights="tokens"` returns `(B, N, T, T)`, also zero to its own.

    Args:
        units: Common width U, needed where widths differ.
        queries: Who asks: `"all"` (both directions), or `"first"`: the first modality
            asks all others, whose streams stay what they are.
        **kwargs: `intermediate_dim`, `num_heads`, `readout`, `dropout`,
            `stochastic_depth`, `activation`, `layer_norm_epsilon`, `seed` as for
            `TokenTransformer`, the others as for `Fusion`.

    Raises:
        ValueError: Also where a modality would ask a single token: the softmax is one
            then, whatever the query.

    Example:

    >>> text, video = keras.random.normal((2, 9, 8)), keras.random.normal((2, 5, 8))
    >>> streams = CrossAttention(num_heads=2, readout=None)([text, video])
    >>> [tuple(z.shape) for z in streams]
    [(2, 9, 8), (2, 5, 8)]

    Reference: Tsai et al., 2019, Multimodal Transformer for Unaligned Multimodal
    Language Sequences; Lu, Batra, Parikh and Lee, 2019, ViLBERT.
    """

    attends_to_tokens = True
    takes_attention_mask = True
    min_modalities = 2
    halves_kind = ResidualHalves

    def __init__(self, units: int | None = None, queries: str = "all", **kwargs):
        super().__init__(units, **kwargs)
        self.queries = require_choice(self, "queries", queries, ("all", "first"))

    def build(self, input_shape):
        super().build(input_shape)
        width, count = self.output_width(input_shape), self.num_modalities
        parts = [3] * count if self.queries == "all" else [1] + [2] * (count - 1)
        self.heads = [
            NormedHeads(self, f"heads_{m}", width, n) for m, n in enumerate(parts)
        ]
        self.halves = [
            self.halves_kind(self, f"halves_{m}", width)
            for m in range(self._asking(count))
        ]

    def fuse(self, inputs, present, query=None, training=None, attention_mask=None):
        parts = [heads(x) for heads, x in zip(self.heads, inputs)]
        drop = dropper(self.dropouts, training)
        streams, rows, spans = list(inputs), [], token_spans(inputs)
        for m, halves in enumerate(self.halves):
            pairs = _between(m, attention_mask, spans)
            attended, own = self._ask(m, parts, inputs, present, training, pairs)
            streams[m] = halves(inputs[m], attended=attended, drop=drop)
            rows.append(own)

        def of_tokens():
            return ops.concatenate([own() for own in rows], axis=2)

        weights = TokenWeights(of_tokens, spans)
        if self.readout:
            return self.pool(streams, present), weights
        return streams, weights

    def pool(self, streams, present):
        """The readout `(B, U)` of the streams."""
        return pool_tokens(streams, present, self.readout)

    def check(self, shapes):
        super().check(shapes)
        counts = [s[1] for s in shapes]
        for m in range(self._asking(len(shapes))):
            if [n for i, n in enumerate(counts) if i != m] == [1]:
                raise ValueError(
                    f"{self.name} would have modality {m} ask a single token, whose "
                    "weight is one whatever is asked; received shapes "
                    f"{[tuple(s) for s in shapes]}. Fuse single vectors with "
                    "ModalityAttention or AdaptiveWeighting."
                )

    def _asking(self, count):
        return count if self.queries == "all" else 1

    def _ask(self, m, parts, inputs, present, training, pairs):
        """What modality m receives, and a function that gives its rows of weights."""
        others = [j for j in range(len(inputs)) if j != m]
        asked = [inputs[j] for j in others]
        keys, values = (
            ops.concatenate([parts[j][part] for j in others], axis=2)
            for part in (-2, -1)
        )
        attended, weights = attend(
            parts[m][0],
            keys,
            values,
            present.pick(others).tokens(asked),
            weight_dropper(self, training),
            pairs,
        )

        def own_rows():
            found = weights()
            columns = [found[..., start:end] for start, end in token_spans(asked)]
            zeros = ops.zeros_like(parts[m][0][..., :1], dtype=found.dtype)
            columns.insert(m, zeros + ops.swapaxes(zeros, -1, -2))
            return select_queries(ops.concatenate(columns, axis=-1), present[m])

        return attended, own_rows


def _between(m, mask, spans):
    """`mask` `(B, T, T)` for what modality m asks of the others."""
    if mask is None:
        return None
    start, end = spans[m]
    rows = mask[:, start:end]
    others = [rows[..., s:e] for i, (s, e) in enumerate(spans) if i != m]
    return ops.concatenate(others, axis=-1)
