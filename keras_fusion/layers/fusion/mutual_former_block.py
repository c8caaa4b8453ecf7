import keras
from keras import ops

from keras_fusion.layers.arguments import (
    require_choice,
    require_fraction,
    require_positive,
)
from keras_fusion.layers.base import fresh
from keras_fusion.layers.fusion.cross_diffusion_attention import (
    CrossDiffusionAttention,
)
from keras_fusion.layers.fusion.token_transformer import TokenTransformer
from keras_fusion.layers.fusion.transformer import (
    apply,
    dropper,
    mlp,
    seed_of,
)
from keras_fusion.ops.diffusion.arguments import INITIALS


@keras.saving.register_keras_serializable("keras_fusion")
class MutualFormerBlock(TokenTransformer):
    """The block of MutualFormer, in the form of the paper.

    `H_m`: `CrossDiffusionAttention` of the `LN_m(X_m)`, its own norm for each modality;
    `Y = g([H_1 | ... | H_M]) + h([X_1 | ... | X_M])`, g and h linear;
    `P = Y + MLP(LN(Y))`. `readout=None` returns the streams `X_m + H_m`, so that
    blocks stack; their residual is ours, the paper hands on `H_m`.

    Shapes: M sets `(B, T, D_m)` with as many tokens, aligned, to P `(B, T, U)`, or the
    list of M streams. Raw weights: `(B, T, M, M)`, those of `CrossDiffusionAttention`.
    Streams of absent modalities are rebuilt from the others as there.

    With one token a modality all affinities are one: queries, keys, epsilon and steps
    have no influence then.

    Args:
        units: Common width U, needed where widths differ.
        epsilon: The weight e of the diffusion, in [0, 1).
        steps: Number of steps of the diffusion; one in the paper.
        initial: Where it begins: `"identity"`, or `"affinity"`.
        readout: `"fused"` for P, or None.
        **kwargs: `intermediate_dim`, `num_heads`, `dropout`, `stochastic_depth`,
            `activation`, `layer_norm_epsilon`, `seed` as for `TokenTransformer`, the
            others as for `Fusion`.

    Example:

    >>> rgb, depth = keras.random.normal((2, 9, 8)), keras.random.normal((2, 9, 8))
    >>> streams = MutualFormerBlock(num_heads=2, readout=None)([rgb, depth])
    >>> tuple(MutualFormerBlock(num_heads=2)(streams).shape)
    (2, 9, 8)

    Reference: Wang, Wang, Wang, Zheng and Lai, 2024, MutualFormer: Multi-Modality
    Representation Learning via Cross-Diffusion Attention.
    """

    aligned_tokens = True
    rebuilds_absent = True
    choices = {"num_heads": (1, 2, 4), "epsilon": (0.3, 0.6, 0.9), "steps": (1, 2)}
    readouts = ("fused", None)

    def __init__(
        self,
        units: int | None = None,
        epsilon: float = 0.6,
        steps: int = 1,
        initial: str = "identity",
        readout: str | None = "fused",
        **kwargs,
    ):
        super().__init__(units, readout=readout, **kwargs)
        self.epsilon = require_fraction(self, "epsilon", epsilon)
        self.steps = require_positive(self, "steps", steps)
        self.initial = require_choice(self, "initial", initial, INITIALS)

    def build(self, input_shape):
        super().build(input_shape)
        width, count = self.output_width(input_shape), self.num_modalities
        self.norms = [
            self.layer_norm(f"norm_{m}", width, self.layer_norm_epsilon)
            for m in range(count)
        ]
        self.diffusion = CrossDiffusionAttention(
            num_heads=self.num_heads,
            readout=None,
            epsilon=self.epsilon,
            steps=self.steps,
            initial=self.initial,
            dropout=self.dropout,
            seed=seed_of(self, "diffusion"),
            use_bias=self.use_bias,
            kernel_initializer=fresh(self.kernel_initializer),
            kernel_regularizer=self.kernel_regularizer,
            dtype=self.dtype_policy,
            name="diffusion",
        )
        self.diffusion.build([(None, None, width)] * count)
        if self.readout:
            self.aggregation = self.dense("aggregation", width, (None, count * width))
            self.skip = self.dense("skip", width, (None, count * width))
            self.norm = self.layer_norm("norm", width, self.layer_norm_epsilon)
            self.mlp = mlp(self, width)

    def fuse(self, inputs, present, query=None, training=None):
        normed = [norm(x) for norm, x in zip(self.norms, inputs)]
        normed = present.select(normed)
        streams, weights = self.diffusion.fuse(normed, present, training=training)
        drop = dropper(self.dropouts, training)
        if self.readout is None:
            return [x + drop(h) for x, h in zip(inputs, streams)], weights
        fused = drop(self.aggregation(ops.concatenate(streams, axis=-1)))
        fused = fused + self.skip(ops.concatenate(inputs, axis=-1))
        return fused + drop(apply(self.mlp, self.norm(fused))), weights
