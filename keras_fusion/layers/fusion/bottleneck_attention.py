import functools

import keras
from keras import ops

from keras_fusion.layers.arguments import require_positive
from keras_fusion.layers.fusion.token_transformer import TokenTransformer
from keras_fusion.layers.fusion.transformer import (
    NormedHeads,
    ResidualHalves,
    dropper,
    weight_dropper,
)
from keras_fusion.ops.pooling import pool
from keras_fusion.ops.tokens import attend, pool_tokens, select_queries


@keras.saving.register_keras_serializable("keras_fusion")
class BottleneckAttention(TokenTransformer):
    """Transformer block in which modalities exchange through a few latent tokens.

    Learned latents `z` first gather from each modality by itself, then every modality
    reads their mean beside its own tokens:

    * `z_m = z + O_m Attention_m(z; [x_m ; z])`, `b` the mean of the `z_m` present;
    * `y_m = x_m + O_m Attention_m(x_m; [x_m ; b])`, `z_m = y_m + MLP_m(LN(y_m))`.

    `Attention_m` normalizes what it takes. Every modality has weights of its own, the
    same in both steps. In the paper latents travel from layer to layer, gather and hand
    out in one step; here each block has its own and exchanges by itself.
    `readout=None` returns the M streams, so that blocks stack.

    Shapes: M sets `(B, T_m, D_m)`, any numbers of tokens, to `(B, U)`, or the list of
    M streams `(B, T_m, U)`. Raw weights: `(B, N, T, M)` float32 (float64 where the
    layer computes in it), T the tokens of all modalities in order: how much of each
    token's attention went to each modality, what
    went to the latents shared equally among the modalities present, of which they are
    the mean. A row sums to one; that of an absent token is zero. Absent tokens are no
    keys, and their streams are zero.

    Args:
        units: Common width U, needed where widths differ.
        num_latents: Number of latent tokens.
        **kwargs: `intermediate_dim`, `num_heads`, `readout`, `dropout`,
            `stochastic_depth`, `activation`, `layer_norm_epsilon`, `seed` as for
            `TokenTransformer`, the others as for `Fusion`.

    Example:

    >>> video, audio = keras.random.normal((2, 9, 8)), keras.random.normal((2, 5, 8))
    >>> fused = BottleneckAttention(num_latents=2)([video, audio])
    >>> tuple(fused.shape)
    (2, 8)

    Reference: Nagrani et al., 2021, Attention Bottlenecks for Multimodal Fusion.
    """

    choices = {"num_heads": (1, 2, 4), "num_latents": (2, 4, 8)}

    def __init__(self, units: int | None = None, num_latents: int = 4, **kwargs):
        super().__init__(units, **kwargs)
        self.num_latents = require_positive(self, "num_latents", num_latents)

    def build(self, input_shape):
        super().build(input_shape)
        width = self.output_width(input_shape)
        self.latents = self.add_weight(
            shape=(self.num_latents, width),
            initializer="random_normal",
            name="latents",
        )
        modalities = range(self.num_modalities)
        self.heads = [NormedHeads(self, f"heads_{m}", width) for m in modalities]
        self.halves = [ResidualHalves(self, f"halves_{m}", width) for m in modalities]

    def fuse(self, inputs, present, query=None, training=None):
        parts = [heads(x) for heads, x in zip(self.heads, inputs)]
        # In this order: Keras on TensorFlow takes a (1, 1, U) on the right for a bias.
        latents = ops.zeros_like(inputs[0][:, :1]) + self.latents  # (B, L, U)
        latents = self._gather(latents, parts, present, training)
        drop = dropper(self.dropouts, training)
        streams, weights = [], []
        for m, (x, halves) in enumerate(zip(inputs, self.halves)):
            queries, *own = parts[m]
            _, *read = self.heads[m](latents)
            attended, row = self._attend(queries, own, read, m, present, training)
            streams.append(halves(x, attended=attended, drop=drop))
            weights.append(row)
        shares = functools.partial(self._shares, weights, present)
        if self.readout:
            return pool_tokens(streams, present, self.readout), shares
        return streams, shares

    def _gather(self, latents, parts, present, training):
        """The mean of the latents after each modality present has told them."""
        told = []
        drop = dropper(self.dropouts, training)
        for m, (heads, halves) in enumerate(zip(self.heads, self.halves)):
            queries, *read = heads(latents)
            attended, _ = self._attend(
                queries, parts[m][1:], read, m, present, training
            )
            told.append(halves.add(latents, attended, drop))
        return pool(told, present.samples(), "mean")

    def _attend(self, queries, own, read, m, present, training):
        """Attention to the tokens of modality m and to the latents.

        Args:
            queries: `(B, N, Q, h)`.
            own: keys and values of the tokens, `(B, N, T_m, h)`.
            read: keys and values of the latents, `(B, N, L, h)`.
        """
        keys, values = (ops.concatenate(both, axis=2) for both in zip(own, read))
        kept = present.pick([m]).tokens([own[0][:, 0]])  # (B, T_m, 1)
        if kept is not None:
            latents = ops.ones_like(read[0][:, 0, :, :1], dtype="bool")
            kept = ops.concatenate([kept, latents], axis=1)
        drop = weight_dropper(self, training)
        return attend(queries, keys, values, kept, drop)

    def _shares(self, weights, present):
        rows = [weigh() for weigh in weights]
        samples = present.samples()
        part = 1 / samples.count(rows)
        for m, row in enumerate(rows):
            latents = ops.sum(row[..., -self.num_latents :], axis=-1)  # (B, N, T_m)
            columns = samples.select([latents * part] * self.num_modalities)
            columns[m] += ops.sum(row[..., : -self.num_latents], axis=-1)
            row = ops.stack(columns, axis=-1)  # (B, N, T_m, M)
            rows[m] = select_queries(row, present[m])
        return ops.concatenate(rows, axis=2)
