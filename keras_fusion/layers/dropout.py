import keras

from keras_fusion.layers.base import Layer


class Dropout(Layer):
    """`keras.layers.Dropout` with a name for its generator, which Keras counts.

    Args:
        rate: In [0, 1).
        noise_shape: `(None, 1, ...)` drops along some axes together; None, by numbers.
        seed: Of the draws.
        **kwargs: For `keras.layers.Layer`.
    """

    def __init__(
        self,
        rate: float,
        noise_shape: tuple | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed
        if rate:
            self.seed_generator = self.add_seed(seed)
        self.supports_masking = True
        self.build(None)

    def call(self, inputs, training=None):
        if not training or not self.rate:
            return inputs
        return keras.random.dropout(
            inputs, self.rate, noise_shape=self.noise_shape, seed=self.seed_generator
        )

    def compute_output_shape(self, input_shape):
        return input_shape
