"""Heads of single modalities: their predictions, and their losses under `model.fit`."""

import keras
from keras import ops

from keras_fusion.layers.arguments import require_choice
from keras_fusion.layers.base import Layer
from keras_fusion.ops.pooling import pool
from keras_fusion.ops.presence import Presence

HEADS = ("train", "average")


@keras.saving.register_keras_serializable("keras_fusion")
class Heads(Layer):
    """Joins the fused prediction with those of a head for each modality.

    In training the fused prediction comes out, and a `HeadedModel` finds those of the
    heads here, to add their losses. Otherwise `"average"` gives the mean of the fused
    prediction and of the heads of what is present, and `"train"` the fused one alone.

    Call: `layer([fused, head_1, ..., head_M], modality_mask=None, training=None)`

    Shapes: tensors `(B, K)` and `modality_mask` `(B, M)` bool (True = present, None =
    all) to `(B, K)`.

    Args:
        heads: `"train"` or `"average"`.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> fused, a, b = [keras.ops.full((1, 2), x) for x in (0.6, 0.9, 0.0)]
    >>> there = keras.ops.convert_to_tensor([[True, False]])
    >>> joined = Heads()([fused, a, b], modality_mask=there)
    >>> [round(float(x), 2) for x in joined[0]]
    [0.75, 0.75]
    """

    def __init__(self, heads: str = "average", **kwargs):
        super().__init__(**kwargs)
        self.heads = require_choice(self, "heads", heads, HEADS)
        self.seen = None
        self.build(None)

    def call(self, predictions, modality_mask=None, training=None):
        fused, *alone = predictions
        if self.resolve_training(training):
            self.seen = tuple(alone), modality_mask
            return fused
        if self.heads == "train":
            return fused
        if modality_mask is not None:  # the fused prediction is always there
            mask = ops.cast(modality_mask, "bool")
            always = ops.ones_like(mask[:, :1])
            modality_mask = ops.concatenate([always, mask], axis=1)
        return pool(predictions, Presence.of(predictions, modality_mask), "mean")

    def compute_output_shape(self, predictions_shape, modality_mask_shape=None):
        return tuple(predictions_shape[0])

    def take(self):
        """The heads' predictions of the last call in training, and what was there."""
        seen, self.seen = self.seen, None
        return seen


@keras.saving.register_keras_serializable("keras_fusion")
class HeadedModel(keras.Model):
    """A functional model with a layer `Heads`, each of which has a loss in training.

    The loss in training is that of the fused prediction and, by the same compiled loss,
    that of every head, each over the samples where its modality is present. Validation
    has the loss of the output alone.
    """

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if not training:
            return loss
        for head, weight in self.heads_seen(sample_weight):
            # `super` adds the penalties of the weights each time.
            own = super().compute_loss(x, y, head, weight, training)
            loss = loss + own - sum(ops.sum(penalty) for penalty in self.losses)
        return loss

    def heads_seen(self, sample_weight=None):
        """Each head's predictions `(B, K)`, and the weights of the samples in its loss.

        They are those of the last call in training, and are given once.
        """
        layers = [x for x in self.layers if isinstance(x, Heads)]
        if not layers:
            return []
        alone, mask = layers[0].take()
        if mask is None:
            return [(head, sample_weight) for head in alone]
        weights = ops.cast(mask, "float32")  # (B, M)
        if sample_weight is not None:
            weights = weights * ops.reshape(sample_weight, (-1, 1))
        return list(zip(alone, ops.unstack(weights, len(alone), axis=-1)))
