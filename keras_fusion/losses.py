"""Losses that Keras does not have."""

import math

import keras
from keras import ops

from keras_fusion.ops.special import digamma, log_gamma


@keras.saving.register_keras_serializable("keras_fusion")
class SaliencyLoss(keras.losses.Loss):
    """Weighted cross-entropy plus weighted intersection over union, of foreground.

    Pixels weigh `w = 1 + weight |mean of the mask around it - mask|`: edges and thin
    parts count more. Per image `sum(w bce) / sum(w) + 1 - (sum(w p y) + 1) /
    (sum(w (p + y - p y)) + 1)` with `p = sigmoid(logits)`.

    Shapes: masks `(B, H, W)` or `(B, H, W, 1)` of 0 and 1, logits `(B, H, W, 1)`.

    Args:
        window: Sides of the neighborhood in pixels, odd. Beyond the image is
            background.
        weight: What an edge weighs more; 0 weighs all pixels alike.
        ignore_class: The number of pixels that do not count, or None.
        name, reduction, dtype: As for `keras.losses.Loss`.

    Reference: Wei, Wang and Huang, 2020, F3Net: Fusion, Feedback and Focus for Salient
    Object Detection (window 31 on images of 352 pixels, weight 5).
    """

    def __init__(
        self,
        window: int = 15,
        weight: float = 5.0,
        ignore_class: int | None = None,
        name: str = "saliency_loss",
        reduction: str = "sum_over_batch_size",
        dtype: str | None = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if not isinstance(window, int) or window < 1 or window % 2 == 0:
            raise ValueError(
                f"SaliencyLoss expects window to be an odd number; received {window!r}."
            )
        self.window = window
        self.weight = weight
        self.ignore_class = ignore_class

    def call(self, y_true, y_pred):
        logits = ops.convert_to_tensor(y_pred)
        if logits.shape[-1] != 1:
            raise ValueError(
                "SaliencyLoss expects logits (B, H, W, 1) of the foreground; received "
                f"shape {tuple(logits.shape)}."
            )
        masks = ops.reshape(ops.cast(y_true, logits.dtype), ops.shape(logits))
        kept = ops.ones_like(masks)
        if self.ignore_class is not None:
            kept = ops.cast(ops.not_equal(masks, self.ignore_class), masks.dtype)
            masks = masks * kept
        weights = kept * (1 + self.weight * ops.abs(self._around(masks) - masks))
        axes = (1, 2, 3)
        # log(1 + exp(logits)) - logits where there is foreground
        entropy = ops.softplus(logits) - logits * masks
        entropy = ops.sum(weights * entropy, axes)  # (B,)
        entropy = entropy / ops.maximum(ops.sum(weights, axes), 1)
        there = ops.sigmoid(logits)
        both = ops.sum(weights * there * masks, axes)
        either = ops.sum(weights * (there + masks - there * masks), axes)
        return entropy + 1 - (both + 1) / (either + 1)

    def get_config(self):
        return super().get_config() | {
            "window": self.window,
            "weight": self.weight,
            "ignore_class": self.ignore_class,
        }

    def _around(self, masks):
        """Means over the neighborhoods: sums along columns and along rows."""
        _, height, width, _ = ops.shape(masks)
        sums = ops.matmul(self._band(height, masks.dtype), masks[..., 0])
        sums = ops.matmul(sums, self._band(width, masks.dtype))
        return sums[..., None] / self.window**2

    def _band(self, size, dtype):
        """`(size, size)`, 1 where two places are in each other's neighborhood."""
        places = ops.arange(size)
        near = ops.abs(places[:, None] - places) <= self.window // 2
        return ops.cast(near, dtype)


@keras.saving.register_keras_serializable("keras_fusion")
class EvidentialLoss(keras.losses.Loss):
    """The expected cross-entropy under a Dirichlet opinion, and a price of evidence.

    `digamma(sum(alpha)) - digamma(alpha_y) + divergence KL(alpha~ | 1)`, where alpha~
    is alpha with 1 for the true class y: what speaks for a wrong class is to go.

    Shapes: labels `(B,)` or `(B, 1)` class numbers, alpha `(B, K)` from 1.

    Args:
        divergence: What the second part counts. It is usual to begin at 0 and to raise
            it to 1 (annealing), as `keras_fusion.zoo.EvidentialClassifier` does.
        name, reduction, dtype: As for `keras.losses.Loss`.

    Reference: Sensoy, Kaplan and Kandemir, 2018, Evidential Deep Learning to Quantify
    Classification Uncertainty. Han et al., 2021, Trusted Multi-View Classification.
    """

    def __init__(
        self,
        divergence: float = 1.0,
        name: str = "evidential_loss",
        reduction: str = "sum_over_batch_size",
        dtype: str | None = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.divergence = divergence

    def call(self, y_true, y_pred):
        return evidential_loss(y_true, y_pred, self.divergence)

    def get_config(self):
        return super().get_config() | {"divergence": self.divergence}


def evidential_loss(labels, alpha, divergence):
    """`EvidentialLoss` of each sample, `(B,)`, of labels `(B,)` and alpha `(B, K)`."""
    alpha = ops.convert_to_tensor(alpha)
    classes = alpha.shape[-1]
    labels = ops.reshape(ops.cast(labels, "int32"), (-1,))
    own = ops.one_hot(labels, classes, dtype=alpha.dtype)
    total = digamma(ops.sum(alpha, axis=-1))
    entropy = total - ops.sum(own * digamma(alpha), axis=-1)
    wrong = own + (1 - own) * alpha
    whole = ops.sum(wrong, axis=-1)
    kl = log_gamma(whole) - math.lgamma(classes) - ops.sum(log_gamma(wrong), axis=-1)
    surplus = (wrong - 1) * (digamma(wrong) - digamma(whole)[:, None])
    return entropy + divergence * (kl + ops.sum(surplus, axis=-1))
