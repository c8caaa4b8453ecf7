import math

import keras
from keras import ops

from keras_fusion.layers.base import Layer
from keras_fusion.ops.presence import precise


@keras.saving.register_keras_serializable("keras_fusion")
class SinusoidalPositions(Layer):
    """Adds to each token sines and cosines of its place, for sequences of any length.

    `y_t = x_t + [sin(t w_1), ..., sin(t w_h), cos(t w_1), ..., cos(t w_h)]`, t from 0,
    `w_i = 10000^(-(i - 1) / h)`, h half of the width, rounded up; of an odd width the
    last cosine is left out. No weights; masks pass through.

    Shapes: `(B, T, D)` to the same, T free.

    Args:
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> placed = SinusoidalPositions()(keras.ops.zeros((1, 5, 4)))
    >>> [round(float(x), 2) for x in placed[0, 1]]
    [0.84, 0.01, 0.54, 1.0]

    Reference: Vaswani et al., 2017, Attention Is All You Need.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.build(None)

    def call(self, inputs):
        inputs = self.as_numbers(inputs)
        width = inputs.shape[-1]
        half = math.ceil(width / 2)
        steps = [10000.0 ** (-i / half) for i in range(half)]
        # Counted, since asking for the length would be a further output of an export.
        places = ops.cumsum(ops.ones_like(precise(inputs[..., :1])), axis=1) - 1
        angles = places * ops.convert_to_tensor(steps, places.dtype)  # (B, T, h)
        waves = ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)
        return inputs + self.as_numbers(waves[..., :width])

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)
