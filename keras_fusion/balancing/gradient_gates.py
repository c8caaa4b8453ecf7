"""Identities whose gradients a policy scales."""

import keras
from keras import ops

from keras_fusion.layers.base import Layer


@keras.saving.register_keras_serializable("keras_fusion")
class GradientGates(Layer):
    """What goes in comes out; the gradient that comes back is scaled.

    One gate for each modality, all in one layer, which is called with each. A scale is
    zero where nothing behind the gate is to learn; the output never depends on it.

    Args:
        scales: The first scale of each modality.
        **kwargs: For `keras.layers.Layer`.
    """

    def __init__(self, scales: list[keras.Variable], **kwargs):
        super().__init__(**kwargs)
        self.scales = list(scales)
        start = keras.initializers.Constant(self.scales)
        self.scale = self.add_weight(
            name="scale", shape=(len(scales),), initializer=start, trainable=False
        )
        self.step = self.add_weight(
            name="step", shape=(), initializer="zeros", trainable=False
        )
        self.build(None)

    def call(self, x, modality=0):
        # A copy, since torch must not see what is assigned before the backward pass.
        scale = ops.cast((self.scale + 0.0)[modality], x.dtype)
        # Added up like this the output is exactly `x`, and not `x` but for rounding.
        return ops.stop_gradient(x) + scale * (x - ops.stop_gradient(x))

    def compute_output_shape(self, x_shape):
        return tuple(x_shape)
