from collections.abc import Callable

import keras
from keras import ops

from keras_fusion.layers.arguments import require_choice, require_positive
from keras_fusion.layers.fusion.base import Fusion
from keras_fusion.layers.fusion.transformer import apply
from keras_fusion.ops.pooling import position_mean
from keras_fusion.ops.presence import precise, softmax, weighted_sum


@keras.saving.register_keras_serializable("keras_fusion")
class AdaptiveWeighting(Fusion):
    """Each modality is mapped and weighted by networks of its own.

    `x'_m = MLP_m(x_m)`, `W_m = gate(MLP_w,m(x'_m))` in the shape of `x'_m`,
    `y = sum_m x'_m * W_m`. Both MLPs have one hidden layer. Without `units` there is no
    value MLP, `x'_m = x_m`. On maps and volumes the weight network sees the global mean
    of `x'_m` over the positions kept: squeeze-and-excitation across modalities.

    Shapes: M tensors `(B, ..., D_m)` to `(B, ..., U)`. Raw weights: `(B, ..., U, M)`,
    the gated `W`. An absent modality is left out of the sum: `gate="softmax"`
    renormalizes over those present, the other gates are not rescaled.

    Args:
        units: Width U of the value MLPs, or None for the weighting alone.
        intermediate_dim: Width of the hidden layers; None takes that of the output.
        activation: Of the hidden layers.
        gate: None (W as it comes, starting near one), `"sigmoid"`, or `"softmax"` over
            the modalities, channel by channel.
        **kwargs: As for `Fusion`.

    Example:

    >>> frames, poses = keras.random.normal((2, 17)), keras.random.normal((2, 3))
    >>> fused = AdaptiveWeighting(units=8, gate="softmax")([frames, poses])
    >>> tuple(fused.shape)
    (2, 8)

    Reference: Hu, Shen and Sun, 2018, Squeeze-and-Excitation Networks (the pooled form,
    for one modality).
    """

    has_weights = True
    projects = False
    choices = {"gate": (None, "sigmoid", "softmax")}

    def __init__(
        self,
        units: int | None = None,
        intermediate_dim: int | None = None,
        activation: str | Callable = "gelu",
        gate: str | None = None,
        **kwargs,
    ):
        super().__init__(units, **kwargs)
        self.intermediate_dim = require_positive(
            self, "intermediate_dim", intermediate_dim, optional=True
        )
        self.activation = activation
        self.gate = require_choice(self, "gate", gate, (None, "sigmoid", "softmax"))

    def build(self, input_shape):
        super().build(input_shape)
        width = self.output_width(input_shape)
        hidden = self.intermediate_dim or width
        self.values = []
        if self.units:
            self.values = [
                self._mlp(f"value_{m}", hidden, s[-1])
                for m, s in enumerate(input_shape)
            ]
        start = "ones" if self.gate is None else "zeros"
        self.weightings = [
            self._mlp(f"weighting_{m}", hidden, width, bias_initializer=start)
            for m in range(self.num_modalities)
        ]

    def fuse(self, inputs, present, query=None, training=None):
        if self.values:
            inputs = [apply(mlp, x) for mlp, x in zip(self.values, inputs)]
        seen = _squeeze_all(inputs, present)
        weights = [apply(mlp, x) for mlp, x in zip(self.weightings, seen)]
        weights = self._gated(weights, present)
        return weighted_sum(weights, present.select(inputs)), weights

    def _mlp(self, name, hidden, width, **kwargs):
        last = self.output_width([(width,)])
        return [
            self.dense(
                f"{name}_hidden", hidden, (None, width), activation=self.activation
            ),
            self.dense(f"{name}_output", last, (None, hidden), **kwargs),
        ]

    def _gated(self, weights, present):
        if self.gate is None:
            return present.select(weights)
        weights = [precise(w) for w in weights]
        if self.gate == "sigmoid":
            return present.select([ops.sigmoid(w) for w in weights])
        weights = softmax(ops.stack(weights, axis=-1), present.stack())
        return ops.unstack(weights, axis=-1)


def _squeeze_all(inputs, present):
    """Global means over the positions kept in maps and volumes; tokens as they are."""
    if len(inputs[0].shape) < 4:
        return inputs
    return [position_mean(x, present[m]) for m, x in enumerate(inputs)]
