import keras
from keras import ops

from keras_fusion.layers.fusion.base import Fusion


@keras.saving.register_keras_serializable("keras_fusion")
class Concatenation(Fusion):
    """The modalities side by side, the baseline of all fusion.

    `y = [x_1 | ... | x_M]`, or with `units` `y = [x_1 | ... | x_M] W + b`.

    Shapes: M tensors `(B, ..., D_m)` to `(B, ..., sum of D_m)` or `(B, ..., U)`.
    An absent modality stands as zeros; nothing is rescaled.

    Args:
        units: Width of the output, or None for the concatenation itself.
        **kwargs: As for `Fusion`.

    Example:

    >>> rgb, depth = keras.random.normal((2, 17)), keras.random.normal((2, 3))
    >>> tuple(Concatenation()([rgb, depth]).shape)
    (2, 20)
    """

    projects = False

    def build(self, input_shape):
        super().build(input_shape)
        width = sum(s[-1] for s in input_shape)
        self.output_dense = None
        if self.units:
            self.output_dense = self.dense("output", self.units, (None, width))

    def fuse(self, inputs, present, query=None, training=None):
        # Of one input it would be a copy, which on torch takes as long as what follows.
        joined = ops.concatenate(inputs, axis=-1) if len(inputs) > 1 else inputs[0]
        return self.output_dense(joined) if self.output_dense else joined, None

    def check_widths(self, widths):
        pass  # any widths stand side by side

    def output_width(self, shapes):
        return self.units or sum(s[-1] for s in shapes)
