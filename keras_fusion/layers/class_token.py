import keras
from keras import ops

from keras_fusion.layers.base import Layer


@keras.saving.register_keras_serializable("keras_fusion")
class ClassToken(Layer):
    """Puts a learned token before the others, for a classifier to read.

    Shapes: `(B, T, D)` to `(B, T + 1, D)`. A mask keeps the new token.

    Args:
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> tuple(ClassToken()(keras.ops.ones((2, 5, 4))).shape)
    (2, 6, 4)

    Reference: Devlin et al., 2019, BERT (the token `[CLS]`).
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        self.input_spec = keras.layers.InputSpec(axes={-1: input_shape[-1]})
        self.token = self.add_weight(
            shape=(1, 1, input_shape[-1]),
            initializer=keras.initializers.TruncatedNormal(stddev=0.02),
            name="token",
        )

    def call(self, inputs):
        inputs = self.as_numbers(inputs)
        first = ops.zeros_like(inputs[:, :1]) + ops.cast(self.token, inputs.dtype)
        return ops.concatenate([first, inputs], axis=1)

    def compute_mask(self, inputs, previous_mask=None):
        if previous_mask is None:
            return None
        first = ops.ones_like(previous_mask[:, :1])
        return ops.concatenate([first, previous_mask], axis=1)

    def compute_output_shape(self, input_shape):
        batch, tokens, width = input_shape
        return (batch, tokens and tokens + 1, width)
