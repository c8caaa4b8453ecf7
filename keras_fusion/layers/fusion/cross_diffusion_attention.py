import functools

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
from keras_fusion.ops.diffusion.arguments import FORMS, INITIALS
from keras_fusion.ops.diffusion.cross_diffusion import cross_diffusion
from keras_fusion.ops.pooling import pool
from keras_fusion.ops.presence import Presence, precise, select
from keras_fusion.ops.tokens import join_heads, split_heads


@keras.saving.register_keras_serializable("keras_fusion")
class CrossDiffusionAttention(Fusion):
    """Self-attention, and messages through the diffused affinities of two modalities.

    `P_m = softmax(Q_m K_m^T / sqrt(h))` per head, `M_m = P_m V_m`, and from each other
    modality j `M_mj = X_mj V_j` with `X^(t+1) = e P_m X^(t) P_j^T +
    (1-e) (P_m + P_j) / 2` (see `ops.cross_diffusion`). The stream of modality m is
    `H_m = f_m([M_m | mean of the M_mj present])`, f_m linear. With one modality that is
    plain self-attention. No weights are shared.

    Shapes: M sets `(B, T, D_m)` with as many tokens, aligned, to `(B, T, U)`, or the
    list of M streams. Raw weights: `(B, T, M, M)` float32, how much each stream (last
    but one) took from each modality: the mean absolute value over the channels of what
    f_m makes of `M_m`, or of `M_mj` over the number of sources, divided by their sum.
    A row sums to one, or is zero where nothing is present.

    The stream of an absent modality is rebuilt from the others: for its affinity
    stands the mean of those present. Padded tokens are neither queries nor keys.

    With one token a modality all affinities are one: queries, keys, epsilon and steps
    have no influence then.

    Args:
        units: Common width U, needed where widths differ.
        num_heads: Number of heads N, a divisor of U.
        readout: `"sum"`, `"mean"`, `"max"` over all M streams at each token, or None.
        epsilon: The weight e of the diffusion, in [0, 1).
        steps: Number of steps T of the diffusion.
        initial: `X^(0)`: `"identity"`, or `"affinity"` for `(P_m + P_j) / 2`.
        form: `"paper"`, or `"released"` for the orientation of the released code, two
            modalities only.
        dropout: Rate for what f_m receives. (On X itself it would need X, which is
            never formed.) There is no stochastic depth, since there is nothing beside
            f_m that a sample could skip to; `MutualFormerBlock` has it.
        seed: Of the dropout.
        **kwargs: As for `Fusion`.

    Example:

    >>> rgb, depth = keras.random.normal((2, 9, 8)), keras.random.normal((2, 9, 8))
    >>> fused = CrossDiffusionAttention(num_heads=2)([rgb, depth])
    >>> tuple(fused.shape)
    (2, 9, 8)

    Reference: Wang, Wang, Wang, Zheng and Lai, 2024, MutualFormer: Multi-Modality
    Representation Learning via Cross-Diffusion Attention. More than two modalities and
    absent ones are ours.
    """

    takes = "tokens"
    aligned_tokens = True
    refines = True
    rebuilds_absent = True
    has_weights = True
    choices = {"num_heads": (1, 2, 4), "epsilon": (0.3, 0.6, 0.9), "steps": (1, 2)}

    def __init__(
        self,
        units: int | None = None,
        num_heads: int = 1,
        readout: str | None = "mean",
        epsilon: float = 0.6,
        steps: int = 1,
        initial: str = "identity",
        form: str = "paper",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(units, **kwargs)
        self.num_heads = require_positive(self, "num_heads", num_heads)
        self.readout = require_choice(
            self, "readout", readout, ("sum", "mean", "max", None)
        )
        self.epsilon = require_fraction(self, "epsilon", epsilon)
        self.steps = require_positive(self, "steps", steps)
        self.initial = require_choice(self, "initial", initial, INITIALS)
        self.form = require_choice(self, "form", form, FORMS)
        self.dropout = require_fraction(self, "dropout", dropout)
        self.seed = seed

    @property
    def max_modalities(self):
        return 2 if self.form == "released" else None

    def build(self, input_shape):
        super().build(input_shape)
        width = self.output_width(input_shape)
        shape, modalities = (None, width), range(self.num_modalities)
        self.heads = [self.dense(f"heads_{m}", 3 * width, shape) for m in modalities]
        self.own = [self.dense(f"own_{m}", width, shape) for m in modalities]
        self.others = []
        if self.num_modalities > 1:
            self.others = [
                self.dense(f"others_{m}", width, shape, use_bias=False)
                for m in modalities
            ]
        self.dropout_layer = Dropout(
            self.dropout, seed=self.seed, name="dropout", dtype=self.dtype_policy
        )

    def fuse(self, inputs, present, query=None, training=None):
        attended, messages = self.exchange(inputs, present)
        samples = present.samples()
        drop = functools.partial(self.dropout_layer, training=training)
        streams = [own(drop(x)) for own, x in zip(self.own, attended)]
        for m, other in enumerate(self.others):
            others = [j for j in range(self.num_modalities) if j != m]
            sources = [messages[m][j] for j in others]
            streams[m] += other(drop(pool(sources, samples.pick(others), "mean")))
        weights = functools.partial(self._weights, attended, messages, present)
        if self.readout:
            return pool(streams, Presence(), self.readout), weights
        return streams, weights

    def check_widths(self, widths):
        super().check_widths(widths)
        check_heads(self, self.units or widths[0])

    def exchange(self, inputs, present):
        """`M_m`, and for each stream its messages, `(B, T, U)` each."""
        parts = self.project(inputs)
        attended, messages = cross_diffusion(
            *zip(*parts),
            epsilon=self.epsilon,
            steps=self.steps,
            initial=self.initial,
            form=self.form,
            modality_mask=present.modality_mask(),
            mask=None if present.by_sample else [p[..., 0] for p in present.parts],
        )
        return [join_heads(x) for x in attended], [
            [x if x is None else join_heads(x) for x in row] for row in messages
        ]

    def project(self, inputs):
        """Queries, keys and values of every modality, `(B, N, T, h)` each."""
        return [
            [split_heads(p, self.num_heads) for p in ops.split(heads(x), 3, axis=-1)]
            for heads, x in zip(self.heads, inputs)
        ]

    def _weights(self, attended, messages, present):
        rows, samples, there = [], present.samples(), present.any()
        for m, own in enumerate(self.own):
            others = [j for j in range(self.num_modalities) if j != m]
            row = [_size(messages[m][j], self.others[m]) for j in others]
            sources = samples.pick(others).count(row)
            row = [size / sources for size in row]
            row.insert(m, _size(attended[m], own))
            rows.append(select(ops.concatenate(row, axis=-1), there))
        weights = ops.stack(rows, axis=-2)  # (B, T, M, M)
        total = ops.sum(weights, axis=-1, keepdims=True)
        return weights / select(total, total > 0, 1)


def _size(x, dense):
    """Mean absolute value of `x W` at each token, `(B, T, 1)`, float32 or float64."""
    made = dense(x)  # with a quantized kernel, too
    if dense.use_bias:
        made = made - dense.bias
    return ops.mean(ops.abs(precise(made)), axis=-1, keepdims=True)
