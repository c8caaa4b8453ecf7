import keras
from keras import ops

from keras_fusion.layers.fusion.base import Fusion
from keras_fusion.ops.presence import softmax, weighted_sum


@keras.saving.register_keras_serializable("keras_fusion")
class SoftmaxGating(Fusion):
    """One weight per modality and sample, computed from all modalities together.

    `y = sum_m a_m x_m`, `a = softmax([x_1 | ... | x_M] W + b)`, the gate of a mixture
    of experts whose experts are the modalities. On tokens, maps and volumes every
    position has its own weights.

    Shapes: M tensors `(B, ..., D_m)` to `(B, ..., U)`. Raw weights: `(B, ..., M)`
    float32; they sum to one over the present modalities.

    Args:
        units: Common width U, needed where widths differ.
        **kwargs: As for `Fusion`.

    Example:

    >>> rgb, depth = keras.random.normal((2, 17)), keras.random.normal((2, 3))
    >>> fused, weights = SoftmaxGating(units=8)([rgb, depth], return_weights=True)
    >>> tuple(weights.shape)
    (2, 2)

    Reference: Jacobs, Jordan, Nowlan and Hinton, 1991, Adaptive Mixtures of Local
    Experts.
    """

    has_weights = True

    def build(self, input_shape):
        super().build(input_shape)
        width = self.output_width(input_shape) * self.num_modalities
        self.gate = self.dense("gate", self.num_modalities, (None, width))

    def fuse(self, inputs, present, query=None, training=None):
        logits = self.gate(ops.concatenate(inputs, axis=-1))  # (B, ..., M)
        weights = softmax(logits, present.columns(inputs))
        columns = ops.split(weights, self.num_modalities, axis=-1)
        return weighted_sum(columns, inputs), weights
