import keras

from keras_fusion.layers.base import Layer


@keras.saving.register_keras_serializable("keras_fusion")
class PositionEmbedding(Layer):
    """Adds a learned vector to each token, by its place: `y_t = x_t + p_t`.

    Shapes: `(B, T, D)` to the same, T known. Masks pass through.

    Args:
        initializer: Of the vectors.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> tokens = keras.ops.zeros((2, 5, 4))
    >>> placed = PositionEmbedding(initializer="ones")(tokens)
    >>> tuple(placed.shape), bool(keras.ops.all(placed == 1))
    ((2, 5, 4), True)

    Reference: Dosovitskiy et al., 2021, An Image is Worth 16x16 Words.
    """

    def __init__(self, initializer: str | keras.Initializer | None = None, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.initializer = initializer

    def build(self, input_shape):
        if len(input_shape) != 3 or None in input_shape[1:]:
            raise ValueError(
                f"{self.name} expects tokens (B, T, D) of a known number T; received "
                f"shape {tuple(input_shape)}."
            )
        self.input_spec = keras.layers.InputSpec(shape=(None, *input_shape[1:]))
        self.embeddings = self.add_weight(
            shape=input_shape[1:],
            initializer=self.initializer
            or keras.initializers.TruncatedNormal(stddev=0.02),
            name="embeddings",
        )

    def call(self, inputs):
        inputs = self.as_numbers(inputs)
        return inputs + keras.ops.cast(self.embeddings, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape
