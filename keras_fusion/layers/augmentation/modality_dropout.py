import keras
from keras import ops, random

from keras_fusion.layers.arguments import require_mask
from keras_fusion.layers.base import Layer
from keras_fusion.ops.presence import Presence


@keras.saving.register_keras_serializable("keras_fusion")
class ModalityDropout(Layer):
    """Stands zeros in for absent modalities, and in training for some present ones.

    Each present modality of each sample is dropped with probability `rate`; the last
    one present is never dropped. What training drops and what is absent at inference
    are replaced alike, and alike reported in the mask that comes back, so the model
    after it meets nothing new.

    Call: `layer(inputs, modality_mask=None, training=None)`

    Shapes: list of M tensors `(B, ...)` of any ranks and `modality_mask` `(B, M)` bool
    (True = present, None = all) to the list of M tensors and the mask `(B, M)` of what
    is left. Keras' masks of tokens pass through.

    Args:
        rate: Probability in [0, 1) to drop a present modality.
        seed: Of the draws.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> modalities = [keras.ops.ones((4, 3)), keras.ops.ones((4, 5))]
    >>> kept, mask = ModalityDropout(0.5)(modalities, training=True)
    >>> bool(keras.ops.all(keras.ops.any(mask, axis=-1)))
    True

    Reference: Neverova, Wolf, Taylor and Nebout, 2016, ModDrop: Adaptive Multi-modal
    Gesture Recognition.
    """

    def __init__(self, rate: float = 0.0, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(
                f"ModalityDropout expects a rate in [0, 1); received {rate}."
            )
        self.rate = rate
        self.seed = seed
        self.seed_generator = self.add_seed(seed)
        self.supports_masking = True
        self.build(None)

    def call(self, inputs, modality_mask=None, training=None):
        require_mask(self, "modality_mask", modality_mask)
        if modality_mask is None:
            first = ops.reshape(inputs[0], (ops.shape(inputs[0])[0], -1))[:, :1]
            modality_mask = ops.ones_like(first, dtype="bool")
            modality_mask = ops.repeat(modality_mask, len(inputs), axis=-1)  # (B, M)
        modality_mask = ops.cast(modality_mask, "bool")
        if self.rate and self.resolve_training(training):
            modality_mask = self._drop(modality_mask)
        return Presence.of(inputs, modality_mask).select(inputs), modality_mask

    def compute_mask(self, inputs, previous_mask=None):
        masks = previous_mask or [None] * len(inputs)
        return [*masks, None]  # the last output is no modality

    def _drop(self, modality_mask):
        draws = random.uniform(ops.shape(modality_mask), seed=self.seed_generator)
        draws = ops.where(modality_mask, draws, -1.0)
        best = ops.max(draws, axis=-1, keepdims=True)
        kept = ops.logical_or(draws >= self.rate, draws == best)
        return ops.logical_and(modality_mask, kept)
