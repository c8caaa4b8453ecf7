import keras
import numpy as np
from keras import ops

from keras_fusion.layers.arguments import require_levels
from keras_fusion.layers.base import Layer
from keras_fusion.ops.presence import precise


@keras.saving.register_keras_serializable("keras_fusion")
class CumulativeLink(Layer):
    """A head for classes in an order: one score, cut by thresholds that are learned.

    `P(y <= k) = sigmoid(theta_k - w x)` with `theta_1 < ... < theta_(K-1)`, so that all
    classes share one direction `w` of "more". The thresholds cannot change their order:
    each is the one before and the softplus of a weight.

    Call: `layer(x)`

    Shapes: `(B, ..., D)` to probabilities `(B, ..., K)` of the classes, in their order.
    The loss is the usual cross-entropy of them. CORAL has the same head, but no weights
    that keep its thresholds in order, and the sum of the cross-entropies of `y > k`, k
    from 1 to K - 1, as its loss.

    Args:
        classes: Number K of classes, 2 or more.
        kernel_initializer, kernel_regularizer: Of the kernel w.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> probabilities = CumulativeLink(classes=4)(keras.ops.zeros((1, 3)))
    >>> keras.ops.convert_to_numpy(probabilities).round(2).tolist()
    [[0.25, 0.25, 0.25, 0.25]]

    Reference: McCullagh, 1980, Regression Models for Ordinal Data. Cao, Mirjalili and
    Raschka, 2020, Rank Consistent Ordinal Regression for Neural Networks with
    Application to Age Estimation (CORAL).
    """

    use_bias = False  # the thresholds are

    def __init__(
        self,
        classes: int,
        kernel_initializer: str | keras.Initializer = "glorot_uniform",
        kernel_regularizer: str | keras.Regularizer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.classes = require_levels(self, classes)
        self.kernel_initializer = kernel_initializer
        self.kernel_regularizer = kernel_regularizer

    def build(self, input_shape):
        self.score = self.dense("score", 1, input_shape)
        self.steps = self.add_weight(
            shape=(self.classes - 1,), initializer=_equally_probable, name="steps"
        )

    def call(self, x):
        score = precise(self.score(x))  # (B, ..., 1)
        steps = precise(self.steps)
        # The first weight is a threshold, the others are steps from one to the next.
        further = ops.cumsum(ops.softplus(steps[1:]))
        above = ops.concatenate([steps[:1], steps[:1] + further]) - score
        under, over = ops.sigmoid(above), ops.sigmoid(-above)  # (B, ..., K - 1)
        # Between two thresholds sigmoid(b) - sigmoid(a) is this product, in which
        # nothing cancels, since 1 - exp(a - b) is the sigmoid of the step's weight.
        between = under[..., 1:] * over[..., :-1] * ops.sigmoid(steps[1:])
        found = [under[..., :1], between, over[..., -1:]]
        return self.as_numbers(ops.concatenate(found, axis=-1))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.classes)


def _equally_probable(shape, dtype=None):
    """Weights at which a score of 0 makes all classes equally probable."""
    below = np.arange(1, shape[0] + 1) / (shape[0] + 1)
    thresholds = np.log(below / (1 - below))
    steps = np.log(np.expm1(np.diff(thresholds)))
    return ops.convert_to_tensor(np.append(thresholds[:1], steps), dtype=dtype)
