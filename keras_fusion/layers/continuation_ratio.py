import keras
from keras import ops

from keras_fusion.layers.arguments import require_levels
from keras_fusion.layers.base import Layer
from keras_fusion.ops.presence import precise


@keras.saving.register_keras_serializable("keras_fusion")
class ContinuationRatio(Layer):
    """A head for classes in an order: at each, how probable it is to go on.

    `P(y > k | y >= k) = sigmoid(w_k x + b_k)`, so that `P(y = k)` is the product of
    going on from all before and of stopping at k. Each step has features of its own,
    where `CumulativeLink` has one direction for all. With intervals of time as classes
    it is the discrete hazard model of survival.

    Call: `layer(x)`

    Shapes: `(B, ..., D)` to probabilities `(B, ..., K)` of the classes, in their order.
    The usual cross-entropy of them is the loss of CORN, which divides it by the number
    of steps that a batch's rows decide instead of by the number of its rows; of times
    that are censored take `keras_fusion.survival.CensoredCrossentropy`.

    Args:
        classes: Number K of classes, 2 or more.
        kernel_initializer, kernel_regularizer: Of the kernels w.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> probabilities = ContinuationRatio(classes=3)(keras.ops.zeros((1, 5)))
    >>> keras.ops.convert_to_numpy(probabilities).round(2).tolist()
    [[0.5, 0.25, 0.25]]

    Reference: Shi, Cao and Raschka, 2021, Deep Neural Networks for Rank-Consistent
    Ordinal Regression Based on Conditional Probabilities (CORN). Gensheimer and
    Narasimhan, 2019, A Scalable Discrete-Time Survival Model for Neural Networks.
    """

    use_bias = True

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
        self.going_on = self.dense("going_on", self.classes - 1, input_shape)

    def call(self, x):
        logits = precise(self.going_on(x))  # (B, ..., K - 1)
        reached = ops.exp(ops.cumsum(ops.log_sigmoid(logits), axis=-1))
        stopping = ops.sigmoid(-logits)
        found = [
            stopping[..., :1],
            reached[..., :-1] * stopping[..., 1:],
            reached[..., -1:],
        ]
        return self.as_numbers(ops.concatenate(found, axis=-1))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.classes)
