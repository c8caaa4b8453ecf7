from collections.abc import Sequence

import keras
from keras import ops, random

from keras_fusion.layers.arguments import (
    require_choice,
    require_fraction,
    require_mask,
)
from keras_fusion.layers.base import Layer

KINDS = ("noise", "conflict", "zeros")


@keras.saving.register_keras_serializable("keras_fusion")
class ModalityCorruption(Layer):
    """In training, some samples of some modalities are not what they seem.

    Each present modality of each sample is corrupted with probability `rate`, in one
    way of `kinds`, drawn by itself:

    * `"noise"`: Gaussian noise is added, its deviation uniform between 0 and `noise`;
      whole numbers stay as they are;
    * `"conflict"`: another sample of the batch stands in its place, where that has the
      modality;
    * `"zeros"`: zeros stand in its place, as from a dead sensor.

    One of those that are present, at the least, is never corrupted. No mask says what
    is: a model that trains with it learns not to trust one modality alone. At inference
    everything stays as it is, and what is absent does so in training, too.

    Call: `layer(inputs, modality_mask=None, training=None)`

    Shapes: list of M tensors `(B, ...)` of any ranks and dtypes and `modality_mask`
    `(B, M)` bool (True = present, None = all) to the list of M tensors. Keras' masks of
    tokens pass through.

    Args:
        rate: In [0, 1).
        kinds: Some of the above.
        noise: In units of the input; of standardized ones, their deviation.
        seed: Of the draws.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> views = [keras.random.normal((8, 40)), keras.random.normal((8, 3))]
    >>> audio, video = ModalityCorruption(0.3, kinds=["conflict"])(views, training=True)
    >>> tuple(audio.shape)
    (8, 40)

    Reference: Neverova, Wolf, Taylor and Nebout, 2016, ModDrop: Adaptive Multi-modal
    Gesture Recognition, for the draws of each modality by itself.
    """

    def __init__(
        self,
        rate: float = 0.3,
        kinds: Sequence[str] = KINDS,
        noise: float = 2.0,
        seed: int | None = None,
        **kwargs,
    ):
        # whole numbers that came as floats would be rounded in half precision
        super().__init__(**{"autocast": False} | kwargs)
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

    def call(self, inputs, modality_mask=None, training=None):
        require_mask(self, "modality_mask", modality_mask)
        if not self.rate or not self.resolve_training(training):
            return list(inputs)
        count, rows = len(inputs), ops.shape(inputs[0])[0]
        if modality_mask is None:
            there = ops.ones((rows, count), "bool")
        else:
            there = ops.cast(modality_mask, "bool")
        drawn = ops.where(there, self._uniform((rows, count)), -1.0)
        most = ops.max(drawn, axis=-1, keepdims=True)  # is kept as it is
        hit = ops.logical_and(there, drawn < self.rate)
        hit = ops.logical_and(hit, drawn < most)
        ways = ops.floor(self._uniform((rows, count)) * len(self.kinds))  # (B, M)
        return [
            self._corrupted(x, hit[:, m], ways[:, m], there[:, m])
            for m, x in enumerate(inputs)
        ]

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def compute_output_spec(self, inputs, modality_mask=None, training=None):
        return [keras.KerasTensor(x.shape, dtype=x.dtype) for x in inputs]

    def _corrupted(self, x, hit, ways, there):
        """One modality `(B, ...)`, of which the rows that are `hit` go their way."""
        found = x
        for way, kind in enumerate(self.kinds):
            made, possible = getattr(self, f"_{kind}")(x, there)
            rows = ops.logical_and(hit, ops.equal(ways, way))
            if possible is not None:
                rows = ops.logical_and(rows, possible)
            rows = ops.reshape(rows, (-1, *[1] * (len(x.shape) - 1)))
            found = ops.where(rows, made, found)
        return found

    def _noise(self, x, there):
        if "float" not in keras.backend.standardize_dtype(x.dtype):
            return x, None
        rows = (ops.shape(x)[0], *[1] * (len(x.shape) - 1))
        strength = ops.cast(self.noise * self._uniform(rows), x.dtype)
        drawn = random.normal(ops.shape(x), dtype=x.dtype, seed=self.seed_generator)
        return x + strength * drawn, None

    def _conflict(self, x, there):
        """Each row's place is taken by one so many rows on, around the end."""
        count = ops.shape(x)[0]
        shift = self._uniform(()) * ops.cast(count - 1, "float32")
        shift = 1 + ops.cast(ops.floor(shift), "int32")
        others = (ops.arange(count, dtype="int32") + shift) % count
        return ops.take(x, others, axis=0), ops.take(there, others, axis=0)

    def _zeros(self, x, there):
        return ops.zeros_like(x), None

    def _uniform(self, shape):
        return random.uniform(shape, dtype="float32", seed=self.seed_generator)
