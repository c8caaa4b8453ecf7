from collections.abc import Sequence

import keras
from keras import ops, random

from keras_fusion.layers.arguments import require_choice, require_fraction
from keras_fusion.layers.base import Layer

KINDS = ("noise", "conflict", "zeros")


@keras.saving.register_keras_serializable("keras_fusion")
class ModalityCorruption(Layer):
    """In training, some samples of a modality are not what they seem.

    Each sample is corrupted with probability `rate`, in one way of `kinds`, drawn for
    each sample by itself:

    * `"noise"`: Gaussian noise is added, its deviation uniform between 0 and `noise`;
    * `"conflict"`: another sample of the batch stands in its place;
    * `"zeros"`: zeros stand in its place, as from a dead sensor.

    No mask says so: a model that trains with it learns not to trust one modality
    alone. At inference everything stays as it is.

    Shapes: `(B, ...)` of any floating dtype to the same. Masks pass through.

    Args:
        rate: In [0, 1).
        kinds: Some of the above.
        noise: In units of the input; of standardized ones, their deviation.
        seed: Of the draws.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> audio = keras.random.normal((8, 40))
    >>> corrupt = ModalityCorruption(rate=0.3, kinds=["conflict"])
    >>> tuple(corrupt(audio, training=True).shape)
    (8, 40)
    """

    def __init__(
        self,
        rate: float = 0.3,
        kinds: Sequence[str] = KINDS,
        noise: float = 2.0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.rate = require_fraction(self, "rate", rate)
        self.kinds = [require_choice(self, "kinds", kind, KINDS) for kind in kinds]
        if not self.kinds or not noise >= 0:
            raise ValueError(
                "ModalityCorruption expects at least one kind and noise of 0 or more; "
                f"received {kinds!r} and {noise!r}."
            )
        self.noise = noise
        self.seed = seed
        self.seed_generator = self.add_seed(seed)
        self.supports_masking = True
        self.build(None)

    def call(self, inputs, training=None):
        if not self.rate or not self.resolve_training(training):
            return inputs
        rows = (ops.shape(inputs)[0], *[1] * (len(inputs.shape) - 1))
        drawn = self._uniform(rows) / self.rate  # below 1: corrupted
        corrupted = inputs
        for i, kind in enumerate(self.kinds):
            share = ops.logical_and(
                drawn >= i / len(self.kinds), drawn < (i + 1) / len(self.kinds)
            )
            corrupted = ops.where(share, getattr(self, f"_{kind}")(inputs), corrupted)
        return corrupted

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def _noise(self, x):
        rows = (ops.shape(x)[0], *[1] * (len(x.shape) - 1))
        strength = ops.cast(self.noise * self._uniform(rows), x.dtype)
        shape, dtype = ops.shape(x), x.dtype
        return x + strength * random.normal(
            shape, dtype=dtype, seed=self.seed_generator
        )

    def _conflict(self, x):
        """Each row's place is taken by one so many rows on, around the end."""
        count = ops.shape(x)[0]
        shift = self._uniform(()) * ops.cast(count - 1, "float32")
        shift = 1 + ops.cast(ops.floor(shift), "int32")
        return ops.take(x, (ops.arange(count, dtype="int32") + shift) % count, axis=0)

    def _zeros(self, x):
        return ops.zeros_like(x)

    def _uniform(self, shape):
        return random.uniform(shape, dtype="float32", seed=self.seed_generator)
