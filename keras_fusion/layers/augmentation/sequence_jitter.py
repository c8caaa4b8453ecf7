import keras
from keras import ops, random

from keras_fusion.layers.arguments import require_fraction
from keras_fusion.layers.augmentation.warping import warp
from keras_fusion.layers.base import Layer


@keras.saving.register_keras_serializable("keras_fusion")
class SequenceJitter(Layer):
    """In training, every sequence a little faster, later, larger and elsewhere.

    `y_t,d = (1 + s_d) x_t',d + o_d`, `t' = c + (1 + a) (t - c) + b T`, c the middle:
    for every sequence of a batch one speed a and one delay b, uniform within `time`
    either way, and for each of its features one s and one o, normal with deviations
    `scale` and `offset`. Between frames it is interpolated; before the first and after
    the last these are held. At inference the sequence stays as it is.

    Shapes: `(B, T, D)`, or joints `(B, T, J, D)` and the like, to the same, all but B
    known. Masks pass through.

    Args:
        time: In [0, 1), a share of the length.
        scale: In units of the feature itself.
        offset: In the unit of the features; of standardized ones, their deviation.
        seed: Of the draws.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> accelerations = keras.random.normal((2, 16, 3))
    >>> tuple(SequenceJitter(time=0.1)(accelerations, training=True).shape)
    (2, 16, 3)

    Reference: Um et al., 2017, Data Augmentation of Wearable Sensor Data for
    Parkinson's Disease Monitoring using Convolutional Neural Networks.
    """

    def __init__(
        self,
        time: float = 0.1,
        scale: float = 0.2,
        offset: float = 0.2,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.time = require_fraction(self, "time", time)
        self.scale = self._from_zero("scale", scale)
        self.offset = self._from_zero("offset", offset)
        self.seed = seed
        self.seed_generator = self.add_seed(seed)
        self.supports_masking = True

    def build(self, input_shape):
        if len(input_shape) < 3 or None in input_shape[1:]:
            raise ValueError(
                f"{self.name} expects sequences (B, T, D) or (B, T, J, D) of known "
                f"size; received shape {tuple(input_shape)}."
            )

    def call(self, inputs, training=None):
        inputs = self.as_numbers(inputs)
        if not self.resolve_training(training):
            return inputs
        batch = ops.shape(inputs)[0]
        x = inputs
        if self.time:
            speed, delay = self._uniform((batch, 1)), self._uniform((batch, 1))
            x = warp(x, 1, self.time * speed, self.time * delay)
        features = (batch, 1, *inputs.shape[2:])
        factors = 1 + self.scale * self._normal(features)
        offsets = self.offset * self._normal(features)
        return x * factors + offsets

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def _uniform(self, shape):
        return random.uniform(shape, -1, 1, dtype="float32", seed=self.seed_generator)

    def _normal(self, shape):
        return random.normal(shape, dtype=self.compute_dtype, seed=self.seed_generator)

    def _from_zero(self, name, value):
        if not value >= 0:
            raise ValueError(
                f"SequenceJitter expects {name} to be 0 or more; received {value!r}."
            )
        return value
