import keras
from keras import ops

from keras_fusion.layers.arguments import require_choice
from keras_fusion.layers.base import Layer

_LEAST = 1e-7  # of a probability


@keras.saving.register_keras_serializable("keras_fusion")
class Blend(Layer):
    """What a network predicts and what a linear model does, each by its weight.

    Numbers are `y = a network + b linear`. Of probabilities the logits are added so:
    `y = softmax(a log(network) + b log(linear))`, and of several labels at once
    `y = sigmoid(a logit(network) + b logit(linear))`. One pair of weights is for the
    samples that have all modalities and another for those that lack some. Both begin
    as the network alone, and `fit`, which sees that alone, leaves them so:
    `zoo.blend_linear` is what sets them.

    Call: `layer([network, linear], modality_mask=None, training=None)`

    Shapes: two tensors `(B, K)` and `modality_mask` `(B, M)` bool (True = present, None
    = all) to `(B, K)`.

    Args:
        activation: What the predictions came from: `"softmax"`, `"sigmoid"`, or None
            for numbers.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> network, linear = keras.ops.ones((2, 1)), keras.ops.zeros((2, 1))
    >>> layer = Blend(None)
    >>> layer.build([(None, 1), (None, 1)])
    >>> _ = layer.shares.assign([[0.75, 0.25], [1.0, 0.0]])
    >>> there = keras.ops.convert_to_tensor([[True, True], [True, False]])
    >>> [float(x) for x in layer([network, linear], modality_mask=there)[:, 0]]
    [0.75, 1.0]
    """

    def __init__(self, activation: str | None = None, **kwargs):
        super().__init__(**kwargs)
        choices = ("softmax", "sigmoid", None)
        self.activation = require_choice(self, "activation", activation, choices)

    def build(self, predictions_shape, modality_mask_shape=None):
        self.shares = self.add_weight(
            shape=(2, 2), initializer=_network_alone, trainable=False, name="shares"
        )

    def call(self, predictions, modality_mask=None, training=None):
        network, linear = predictions
        if self.resolve_training(training):
            return network
        shares = ops.cast(self.shares, network.dtype)
        pair = shares[:1]  # (1, 2)
        if modality_mask is not None:
            mask = ops.cast(modality_mask, "bool")
            pair = ops.where(ops.all(mask, axis=-1, keepdims=True), pair, shares[1:])
        inside = (
            self._unlinked(network),
            self._unlinked(ops.cast(linear, network.dtype)),
        )
        blended = pair[:, :1] * inside[0] + pair[:, 1:] * inside[1]
        return keras.activations.get(self.activation)(blended)

    def compute_output_shape(self, predictions_shape, modality_mask_shape=None):
        return tuple(predictions_shape[0])

    def _unlinked(self, x):
        """The logits of probabilities, and numbers as they are."""
        if self.activation is None:
            return x
        found = ops.log(ops.maximum(x, _LEAST))
        if self.activation == "sigmoid":
            found = found - ops.log(ops.maximum(1 - x, _LEAST))
        return found


def _network_alone(shape, dtype=None):
    return ops.convert_to_tensor([[1, 0], [1, 0]], dtype)
