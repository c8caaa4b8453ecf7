import keras
from keras import ops

from keras_fusion.layers.arguments import require_choice, require_fraction
from keras_fusion.layers.base import fresh
from keras_fusion.layers.fusion.cross_diffusion_attention import (
    CrossDiffusionAttention,
)
from keras_fusion.layers.fusion.token_transformer import TokenTransformer
from keras_fusion.layers.fusion.transformer import (
    NormedHeads,
    ResidualHalves,
    dropper,
    seed_of,
    weight_dropper,
)
from keras_fusion.ops.presence import select
from keras_fusion.ops.tokens import attend


@keras.saving.register_keras_serializable("keras_fusion")
class ReleasedMutualFormerBlock(TokenTransformer):
    """The block of MutualFormer as its released code has it, which is another function.

    It refines a fused stream X_f beside the two modalities. One norm over the channels
    of both, `[Z_1 | Z_2] = LN([X_1 | X_2])`; `H_m`: `CrossDiffusionAttention` of the
    `Z_m` in the released orientation; `M_f` self-attention of `LN(X_f)`;
    `Y = X_f + O M_f + g([H_1 | H_2])` and `Y + MLP(LN(Y))`. `readout=None` returns the
    streams `X_m + H_m`, so that blocks stack: in the released code the streams do not
    go on.

    Shapes: two sets `(B, T, D_m)` with as many tokens, aligned, to `(B, T, U)`, or the
    list of both streams. Raw weights: `(B, T, 2, 2)`, those of
    `CrossDiffusionAttention`. Streams of absent modalities are rebuilt as there.

    Args:
        units: Common width U, needed where widths differ.
        epsilon: The weight e of the diffusion, in [0, 1).
        fused_stream: What X_f is: `"learned"`, a `Dense(U)` of `[X_1 | X_2]` (a
            convolution of them in the paper's figure), or `"query"`, the `query` tensor
            `(B, T, D)` of the call, as in the released code; projected if D is not U.
        readout: `"fused"`, or None, where there is no fused stream.
        **kwargs: `intermediate_dim`, `num_heads`, `dropout`, `stochastic_depth`,
            `activation`, `layer_norm_epsilon`, `seed` as for `TokenTransformer`, the
            others as for `Fusion`.

    Example:

    >>> rgb, depth, both = keras.random.normal((3, 2, 9, 8))
    >>> block = ReleasedMutualFormerBlock(num_heads=2, fused_stream="query")
    >>> tuple(block([rgb, depth], query=both).shape)
    (2, 9, 8)

    Reference: https://github.com/SissiW/MutualFormer, the code of Wang, Wang, Wang,
    Zheng and Lai, 2024, MutualFormer.
    """

    aligned_tokens = True
    min_modalities = 2
    max_modalities = 2
    rebuilds_absent = True
    choices = {"num_heads": (1, 2, 4), "epsilon": (0.3, 0.6, 0.9)}
    readouts = ("fused", None)

    def __init__(
        self,
        units: int | None = None,
        epsilon: float = 0.6,
        fused_stream: str = "learned",
        readout: str | None = "fused",
        **kwargs,
    ):
        super().__init__(units, readout=readout, **kwargs)
        self.epsilon = require_fraction(self, "epsilon", epsilon)
        self.fused_stream = require_choice(
            self, "fused_stream", fused_stream, ("learned", "query")
        )

    @property
    def uses_query(self):
        return self.fused_stream == "query" and self.readout is not None

    def build(self, inputs_shape, query_shape=None):
        super().build(inputs_shape)
        width = self.output_width(inputs_shape)
        self.joint_norm = self.layer_norm(
            "joint_norm", 2 * width, self.layer_norm_epsilon
        )
        self.diffusion = CrossDiffusionAttention(
            num_heads=self.num_heads,
            readout=None,
            epsilon=self.epsilon,
            form="released",
            dropout=self.dropout,
            seed=seed_of(self, "diffusion"),
            use_bias=self.use_bias,
            kernel_initializer=fresh(self.kernel_initializer),
            kernel_regularizer=self.kernel_regularizer,
            dtype=self.dtype_policy,
            name="diffusion",
        )
        self.diffusion.build([(None, None, width)] * 2)
        if self.readout:
            given = query_shape[-1] if self.uses_query else 2 * width
            self.stream = None
            if given != width:
                self.stream = self.dense("stream", width, (None, given))
            self.heads = NormedHeads(self, "heads", width)
            self.halves = ResidualHalves(self, "halves", width)
            self.aggregation = self.dense("aggregation", width, (None, 2 * width))

    def fuse(self, inputs, present, query=None, training=None):
        both = ops.concatenate(inputs, axis=-1)  # (B, T, 2 U)
        normed = ops.split(self.joint_norm(both), 2, axis=-1)
        streams, weights = self.diffusion.fuse(
            present.select(normed), present, training=training
        )
        drop = dropper(self.dropouts, training)
        if self.readout is None:
            return [x + drop(h) for x, h in zip(inputs, streams)], weights
        there = present.any()
        fused = select(query if self.uses_query else both, there)
        fused = fused if self.stream is None else self.stream(fused)
        drop_weights = weight_dropper(self, training)
        attended, _ = attend(*self.heads(fused), there, drop_weights)
        fused = fused + drop(self.aggregation(ops.concatenate(streams, axis=-1)))
        return self.halves(fused, attended=attended, drop=drop), weights
