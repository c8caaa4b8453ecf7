import keras
import numpy as np
from keras import ops

from keras_fusion.layers.base import Layer


@keras.saving.register_keras_serializable("keras_fusion")
class Standardization(Layer):
    """Raw numbers as a model was trained on them, by moments that are given.

    `z = (x - mean) / deviation`, with the mean subtracted in two steps, so that a large
    one loses no digit that the input has; a deviation of any size counts as it is. Then
    `z` may go through a curve of straight segments for each feature, which makes it
    normal by its rank. NaN becomes `fill`.

    Shapes: `(B, ...)` to `(B, ...)`, float32. Numbers that come in float64 lose no
    digit: what is rounded is `z`.

    Args:
        knots: Number of knots of the curve; 0 is none.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> layer = Standardization(dtype="float32")
    >>> layer.build((None, 2))
    >>> layer.set_moments([1.0, 2.0], [1.0, 4.0])
    >>> layer(keras.ops.ones((1, 2))).tolist()
    [[0.0, -0.25]]
    """

    def __init__(self, knots: int = 0, **kwargs):
        # Keras would round float64 before the mean is taken away
        super().__init__(**{"autocast": False} | kwargs)
        self.knots = knots

    def build(self, input_shape):
        row = tuple(input_shape[1:])

        def constant(name, shape=row):
            return self.add_weight(
                shape=shape, initializer="zeros", trainable=False, name=name
            )

        self.mean, self.rest = constant("mean"), constant("mean_rest")
        self.deviation, self.fill = constant("deviation"), constant("fill")
        if self.knots:
            self.positions = constant("positions", (self.knots, *row))
            self.scores = constant("scores", (self.knots, *row))

    def set_moments(self, mean, deviation, fill=0.0, positions=None, scores=None):
        """Sets what was learned from the training rows, once the layer is built.

        Args:
            mean, deviation, fill: float64 numbers that broadcast to one row.
            positions, scores: `(knots, ...)`, the curve.
        """
        shape = self.mean.shape
        mean = np.broadcast_to(np.asarray(mean, np.float64), shape)
        high = mean.astype(np.float32)
        self.mean.assign(high)
        self.rest.assign((mean - high).astype(np.float32))
        deviation = np.maximum(deviation, np.finfo(np.float32).tiny)
        self.deviation.assign(np.broadcast_to(deviation, shape).astype(np.float32))
        self.fill.assign(np.broadcast_to(fill, shape).astype(np.float32))
        if self.knots:
            self.positions.assign(np.asarray(positions, np.float32))
            self.scores.assign(np.asarray(scores, np.float32))

    def call(self, inputs):
        wide = keras.backend.standardize_dtype(inputs.dtype) == "float64"
        x = inputs if wide else self.as_numbers(inputs)
        mean, rest, deviation = (
            ops.cast(part, x.dtype) for part in (self.mean, self.rest, self.deviation)
        )
        z = self.as_numbers((x - mean - rest) / deviation)
        if self.knots:
            z = ops.where(ops.isnan(z), z, self._curve(z))
        # JAX's `where` takes no variable
        return ops.where(ops.isnan(z), ops.convert_to_tensor(self.fill), z)

    def compute_output_shape(self, input_shape):
        return input_shape

    def _curve(self, z):
        positions = ops.convert_to_tensor(self.positions)
        scores = ops.convert_to_tensor(self.scores)
        total = scores[0]
        for k in range(self.knots - 1):
            width = positions[k + 1] - positions[k]
            rise = ops.where(width > 0, scores[k + 1] - scores[k], 0.0)
            share = (z - positions[k]) / ops.where(width > 0, width, 1.0)
            total = total + rise * ops.clip(share, 0.0, 1.0)
        return total

    def get_config(self):
        return super().get_config() | {"knots": self.knots}
