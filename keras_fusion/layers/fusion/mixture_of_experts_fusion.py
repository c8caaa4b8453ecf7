from collections.abc import Callable

import keras
from keras import ops

from keras_fusion.layers.arguments import require_amount, require_positive
from keras_fusion.layers.fusion.base import Fusion
from keras_fusion.ops.presence import precise, select, softmax


@keras.saving.register_keras_serializable("keras_fusion")
class MixtureOfExpertsFusion(Fusion):
    """Each sample is fused by a few experts, chosen by its features and what it has.

    `y = sum_{e in top k} g_e E_e(x)`, `g = softmax(r)`, `r = [x | p] W + w`, with
    `x = [x_1 | ... | x_M]`, `p` the M flags of what is present, the k experts those of
    the largest `r_e`, and each expert an MLP `E_e(x) = f(x U_e + u_e) V_e + v_e`. The
    gates of the k are not rescaled, so that the router learns at k = 1, too. In
    training the loss of load balancing is added, `balance E sum_e f_e P_e`, `f_e` the
    share of the choices that fell on expert e and `P_e` the mean of `g_e`, so that no
    expert is left out. All experts are computed, since E is small.

    Shapes: M tensors `(B, ..., D_m)` of any widths to `(B, ..., U)`; on tokens, maps
    and volumes every position chooses by itself. An absent modality stands as zeros,
    and the router sees its flag. Positions without any modality do not count in the
    loss.

    Args:
        units: Width U of the output; None takes the width of the modalities.
        num_experts: Number of experts E.
        top_k: Number k of experts for a sample, at most E.
        intermediate_dim: Hidden width of an expert; None takes U.
        activation: Of the hidden layers.
        balance: Weight of the loss of load balancing; 0 for none.
        **kwargs: As for `Fusion`.

    Example:

    >>> image, text = keras.random.normal((2, 17)), keras.random.normal((2, 3))
    >>> tuple(MixtureOfExpertsFusion(units=8)([image, text]).shape)
    (2, 8)

    References: Shazeer et al., 2017, Outrageously Large Neural Networks (routing).
    Fedus, Zoph and Shazeer, 2022, Switch Transformers (the loss). Han et al., 2024,
    FuseMoE (experts that fuse what is present).
    """

    projects = False
    searched = False
    choices = {"num_experts": (4, 8), "top_k": (1, 2)}

    def __init__(
        self,
        units: int | None = None,
        num_experts: int = 4,
        top_k: int = 2,
        intermediate_dim: int | None = None,
        activation: str | Callable = "gelu",
        balance: float = 0.01,
        **kwargs,
    ):
        super().__init__(units, **kwargs)
        self.num_experts = require_positive(self, "num_experts", num_experts)
        self.top_k = require_positive(self, "top_k", top_k)
        if self.top_k > self.num_experts:
            raise ValueError(
                f"{type(self).__name__} expects top_k to be at most num_experts="
                f"{self.num_experts}; received {top_k!r}."
            )
        self.intermediate_dim = require_positive(
            self, "intermediate_dim", intermediate_dim, optional=True
        )
        self.activation = activation
        self.balance = require_amount(self, "balance", balance)

    def build(self, input_shape):
        super().build(input_shape)
        units = self.output_width(input_shape)
        hidden = self.intermediate_dim or units
        width, experts = sum(self.widths), range(self.num_experts)
        self.router = self.dense(
            "router", self.num_experts, (None, width + self.num_modalities)
        )
        self.hidden = self.dense(
            "hidden",
            self.num_experts * hidden,
            (None, width),
            activation=self.activation,
        )
        self.outputs = [
            self.dense(f"output_{e}", units, (None, hidden)) for e in experts
        ]

    def fuse(self, inputs, present, query=None, training=None):
        joined = ops.concatenate(inputs, axis=-1)
        logits = precise(self.router(self._with_flags(joined, inputs, present)))
        chosen = self._chosen(logits)  # (B, ..., E)
        if training and self.balance:
            self.add_loss(self.balance * load(logits, chosen, present.any()))
        gates = self.as_numbers(select(softmax(logits), chosen))
        gates = ops.split(gates, self.num_experts, axis=-1)
        hidden = ops.split(self.hidden(joined), self.num_experts, axis=-1)
        experts = zip(gates, self.outputs, hidden)
        return sum(gate * output(h) for gate, output, h in experts), None

    def check_widths(self, widths):
        if self.units is None:
            super().check_widths(widths)

    def _with_flags(self, joined, inputs, present):
        flags = present.columns(inputs)
        if flags is None:
            flags = ops.ones_like(joined[..., : self.num_modalities])
        return ops.concatenate([joined, ops.cast(flags, joined.dtype)], axis=-1)

    def _chosen(self, logits):
        """Which experts are the k of the largest logits."""
        _, found = ops.top_k(logits, self.top_k)  # (B, ..., k)
        numbers = ops.arange(self.num_experts, dtype="int32")
        return ops.any(ops.cast(found, "int32")[..., None] == numbers, axis=-2)


def load(logits, chosen, there=None):
    """`E sum_e f_e P_e`, one where all experts are used alike.

    Args:
        logits: `(B, ..., E)`.
        chosen: `(B, ..., E)` bool.
        there: `(B, ..., 1)` bool, which positions count, or None (all).
    """
    axes = tuple(range(len(logits.shape) - 1))
    counted = select(ops.ones_like(logits), there)
    total = ops.maximum(ops.sum(counted, axis=axes), 1)  # (E,)
    chosen = counted * ops.cast(chosen, logits.dtype)
    choices = ops.maximum(ops.sum(chosen), 1)
    share = ops.sum(chosen, axis=axes) / choices
    probability = ops.sum(select(softmax(logits), there), axis=axes) / total
    return logits.shape[-1] * ops.sum(share * probability)
