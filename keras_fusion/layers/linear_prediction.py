from collections.abc import Callable, Sequence

import keras
from keras import ops

from keras_fusion.layers.base import Layer


@keras.saving.register_keras_serializable("keras_fusion")
class LinearPrediction(Layer):
    """A linear model of numbers, and of the words of texts.

    A word adds its row of the kernel, times what it counts in its text. So would a
    `Dense` do with as many numbers as there are words, most of which are zero.

    Call: `layer([numbers, codes_1, counts_1, ..., codes_K, counts_K])`, where `numbers`
    may be missing.

    Shapes: `(B, D)`, and for each text `(B, T_k)` integers and `(B, T_k)` numbers, as
    `BagOfWords` gives them, to `(B, units)`. In the kernel `(D + V_1 + ... + V_K,
    units)` the words of the texts follow the numbers.

    Args:
        units: How many classes or numbers are predicted.
        vocabularies: For each text, how many codes there are.
        activation: Of the prediction.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> layer = LinearPrediction(1, [3])
    >>> codes, counts = keras.ops.array([[2, 1]]), keras.ops.array([[0.5, 0.25]])
    >>> layer.build([(1, 2), (1, 2)])
    >>> _ = layer.kernel.assign([[0.0], [4.0], [8.0]])
    >>> keras.ops.convert_to_numpy(layer([codes, counts])).tolist()
    [[5.0]]
    """

    def __init__(
        self,
        units: int,
        vocabularies: Sequence[int] = (),
        activation: str | Callable | None = None,
        **kwargs,
    ):
        super().__init__(**{"autocast": False} | kwargs)
        self.units = units
        self.vocabularies = list(vocabularies)
        self.activation = keras.activations.get(activation)

    def build(self, inputs_shape):
        beside = len(inputs_shape) > 2 * len(self.vocabularies)
        self.width = inputs_shape[0][-1] if beside else 0
        rows = self.width + sum(self.vocabularies)
        shape = rows, self.units
        self.kernel = self.add_weight(shape, "zeros", name="kernel")
        self.bias = self.add_weight((self.units,), "zeros", name="bias")

    def call(self, inputs):
        kernel, outputs = ops.convert_to_tensor(self.kernel), self.bias
        if self.width:
            outputs = outputs + ops.matmul(inputs[0], kernel[: self.width])
        first, texts = self.width, inputs[1 if self.width else 0 :]
        for size, codes, counts in zip(self.vocabularies, texts[::2], texts[1::2]):
            codes = ops.clip(ops.cast(codes, "int32"), 0, size - 1)
            words = ops.take(kernel[first : first + size], codes, axis=0)
            outputs = outputs + ops.einsum("bt,btk->bk", counts, words)
            first += size
        return self.activation(outputs)

    def compute_output_shape(self, inputs_shape):
        return inputs_shape[0][0], self.units

    def get_config(self):
        activation = keras.activations.serialize(self.activation)
        return super().get_config() | {"activation": activation}
