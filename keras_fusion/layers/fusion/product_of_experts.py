import keras
from keras import ops

from keras_fusion.layers.arguments import require_choice
from keras_fusion.layers.fusion.base import Fusion
from keras_fusion.ops.presence import precise, select, softmax


@keras.saving.register_keras_serializable("keras_fusion")
class ProductOfExperts(Fusion):
    """The product of a Gaussian for each modality present, and of a standard normal.

    Every modality says a mean and a log precision for each feature, `mu_m = x_m A_m +
    a_m`, `l_m = x_m B_m + b_m`. The product of `N(mu_m, exp(-l_m))` over the modalities
    present and of the prior `N(0, 1)` is again a Gaussian, of mean `y = sum_m w_m
    mu_m`, `w_m = exp(l_m) / (1 + sum_n exp(l_n))`, and of log variance
    `v = -log(1 + sum_n exp(l_n))`: who is sure counts more, and all together are surer
    than each. The order of the modalities has no influence. The product of categorical
    experts is `Summation` before a softmax.

    Shapes: M tensors `(B, ..., D_m)` of any widths to the mean `(B, ..., U)`, or with
    `readout="gaussian"` to `[y | v]` `(B, ..., 2 U)`. Raw weights: `(B, ..., U, M)`
    float32, the `w_m`; the share that the prior keeps is one minus their sum. An absent
    modality is left out of the product. Where nothing is present the prior is left,
    whose mean and log variance are zero.

    Args:
        units: Width U of the Gaussian; None takes the width of the modalities.
        readout: `"mean"` or `"gaussian"`.
        **kwargs: As for `Fusion`.

    Example:

    >>> image, text = keras.random.normal((2, 17)), keras.random.normal((2, 3))
    >>> tuple(ProductOfExperts(units=8)([image, text]).shape)
    (2, 8)

    References: Hinton, 2002, Training Products of Experts by Minimizing Contrastive
    Divergence. Wu and Goodman, 2018, Multimodal Generative Models for Scalable
    Weakly-Supervised Learning.
    """

    has_weights = True
    projects = False
    searched = False

    def __init__(self, units: int | None = None, readout: str = "mean", **kwargs):
        super().__init__(units, **kwargs)
        self.readout = require_choice(self, "readout", readout, ("mean", "gaussian"))

    def build(self, input_shape):
        super().build(input_shape)
        units = self._units([s[-1] for s in input_shape])
        self.means, self.log_precisions = (
            [self.dense(f"{name}_{m}", units, s) for m, s in enumerate(input_shape)]
            for name in ("mean", "log_precision")
        )

    def fuse(self, inputs, present, query=None, training=None):
        means = [precise(dense(x)) for dense, x in zip(self.means, inputs)]
        logits = [precise(dense(x)) for dense, x in zip(self.log_precisions, inputs)]
        logits = ops.stack(logits, axis=-1)  # (B, ..., U, M)
        there = present.stack()
        if there is not None:
            prior = ops.ones_like(there[..., :1])
            there = ops.concatenate([prior, there], axis=-1)
        logits = ops.concatenate([ops.zeros_like(logits[..., :1]), logits], axis=-1)
        weights = softmax(logits, there)[..., 1:]  # without that of the prior
        mean = ops.sum(weights * ops.stack(means, axis=-1), axis=-1)
        if self.readout == "mean":
            return self.as_numbers(mean), weights
        known = select(logits, there, -1e30)
        variance = -ops.logsumexp(known, axis=-1)
        fused = ops.concatenate([mean, variance], axis=-1)
        return self.as_numbers(fused), weights

    def check_widths(self, widths):
        if self.units is None:
            super().check_widths(widths)

    def output_width(self, shapes):
        parts = 1 if self.readout == "mean" else 2
        return parts * self._units([s[-1] for s in shapes])

    def _units(self, widths):
        return self.units or widths[0]
