from collections.abc import Sequence

import keras
from keras import ops

from keras_fusion.layers.base import Layer
from keras_fusion.ops.presence import select


@keras.saving.register_keras_serializable("keras_fusion")
class EnsembleAverage(Layer):
    """The weighted mean of what the members of an ensemble say, in float32.

    `y = sum_k w_k y_k / sum_k w_k` over the members that have something to say.

    Call: `layer(predictions, member_mask=None)`

    Shapes: list of K tensors `(B, ...)` and `member_mask` `(B, K)` bool (None = all) to
    `(B, ...)`; zeros where no member is present.

    Args:
        shares: K positive numbers w.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> a, b = keras.ops.ones((2, 3)), keras.ops.zeros((2, 3))
    >>> float(EnsembleAverage([3, 1])([a, b])[0, 0])
    0.75
    """

    def __init__(self, shares: Sequence[float], **kwargs):
        super().__init__(**kwargs)
        if not shares or min(shares) <= 0:
            raise ValueError(
                f"EnsembleAverage expects positive shares; received {shares!r}."
            )
        self.shares = [float(share) for share in shares]
        self.build(None)

    def call(self, predictions, member_mask=None):
        predictions = [ops.cast(x, "float32") for x in predictions]
        shares = self.shares
        if member_mask is None:
            total = sum(w * x for w, x in zip(shares, predictions))
            return total / sum(shares)
        total, count = 0.0, 0.0
        for k, (share, x) in enumerate(zip(shares, predictions)):
            there = ops.reshape(member_mask[:, k], (-1, *[1] * (len(x.shape) - 1)))
            total = total + select(share * x, there)
            count = count + share * ops.cast(there, "float32")
        return total / ops.maximum(count, min(shares))

    def compute_output_shape(self, predictions_shape, member_mask_shape=None):
        return tuple(predictions_shape[0])
