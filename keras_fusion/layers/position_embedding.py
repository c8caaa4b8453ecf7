import functools
import math

import keras
import numpy as np
from keras import ops

from keras_fusion.layers.base import Layer


@keras.saving.register_keras_serializable("keras_fusion")
class PositionEmbedding(Layer):
    """Adds a learned vector to each token, by its place: `y_t = x_t + p_t`.

    Shapes: `(B, T, D)` to the same, T known. Masks pass through. For another T
    `zoo.transfer_weights` takes the vectors of a trained layer as `resampled` has them.

    Args:
        initializer: Of the vectors.
        grid: Rows and columns of the map whose places the last tokens are; None: they
            are those of a sequence.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> tokens = keras.ops.zeros((2, 5, 4))
    >>> placed = PositionEmbedding(initializer="ones")(tokens)
    >>> tuple(placed.shape), bool(keras.ops.all(placed == 1))
    ((2, 5, 4), True)

    Reference: Dosovitskiy et al., 2021, An Image is Worth 16x16 Words.
    """

    def __init__(
        self,
        initializer: str | keras.Initializer | None = None,
        grid: tuple[int, int] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.initializer = initializer
        self.grid = grid

    def build(self, input_shape):
        if len(input_shape) != 3 or None in input_shape[1:]:
            raise ValueError(
                f"{self.name} expects tokens (B, T, D) of a known number T; received "
                f"shape {tuple(input_shape)}."
            )
        if self.grid is not None and math.prod(self.grid) > input_shape[1]:
            raise ValueError(
                f"{self.name} expects as many tokens as grid={self.grid} has places; "
                f"received {input_shape[1]}."
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
        return inputs + ops.cast(self.embeddings, inputs.dtype)

    def resampled(self, trained: "PositionEmbedding") -> np.ndarray:
        """The vectors of a trained layer at the places of this one, `(T, D)`.

        Between places they are interpolated linearly, in each direction of a map; on
        fewer places they are averaged. Tokens before the map, such as a `ClassToken`,
        keep their vectors.

        Raises:
            ValueError: If one is of a map and the other is not, or the widths or the
                numbers of tokens before the map differ.
        """
        (first, old), (here, new) = trained.places(), self.places()
        widths = trained.embeddings.shape[-1], self.embeddings.shape[-1]
        if first != here or len(old) != len(new) or widths[0] != widths[1]:
            raise ValueError(
                f"{self.name} expects vectors of {widths[1]} features, {here} before "
                f"places {new}; received {widths[0]}, {first} before {old}."
            )
        vectors = ops.convert_to_numpy(trained.embeddings)
        weights = functools.reduce(np.kron, map(_interpolation, old, new))
        return np.concatenate([vectors[:first], weights @ vectors[first:]])

    def places(self) -> tuple[int, tuple[int, ...]]:
        """How many tokens stand before the others, and the grid of those."""
        count = self.embeddings.shape[0]
        if self.grid is None:
            return 0, (count,)
        rows, columns = self.grid
        return count - rows * columns, (rows, columns)

    def compute_output_shape(self, input_shape):
        return input_shape


def _interpolation(old, new):
    """`(new, old)`: what each place takes of the old ones, by the distance of centers.

    `keras.ops.image.resize` gives zeros on torch where a side is one.
    """
    centers = (np.arange(new) + 0.5) * old / new - 0.5
    reach = max(1, old / new)
    near = np.abs(centers[:, None] - np.arange(old)) / reach
    weights = np.maximum(0, 1 - near)
    return weights / weights.sum(axis=1, keepdims=True)
