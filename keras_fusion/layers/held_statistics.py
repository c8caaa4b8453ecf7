import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_fusion")
class HeldStatistics(keras.layers.Wrapper):
    """An encoder whose averages stay as they are where a batch has no row for it.

    A batch normalization moves its averages by every batch in training. A batch in
    which all rows of a modality are absent has nothing but stand-ins to show it: what
    they did to the averages is taken back. Nothing else differs from the encoder.

    Call: `layer(inputs, there=None)`

    Shapes: whatever the encoder takes, and `there` `(B,)` bool (None = all) to what the
    encoder returns.

    Args:
        layer: The encoder.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> layer = HeldStatistics(keras.layers.BatchNormalization(momentum=0.0))
    >>> x, there = keras.ops.ones((2, 1)), keras.ops.zeros((2,), "bool")
    >>> _ = layer(x, there=there, training=True)
    >>> float(layer.layer.moving_mean[0])
    0.0
    """

    def build(self, inputs_shape, there_shape=None):
        super().build(inputs_shape)

    def call(self, inputs, there=None, training=None):
        held = moved_by_batches(self.layer) if training and there is not None else []
        before = [ops.copy(v) for v in held]
        outputs = self.layer(inputs)  # training comes by Keras' context
        some = ops.any(there) if held else None
        for variable, value in zip(held, before):
            moved = ops.convert_to_tensor(variable)  # JAX's `where` takes no variable
            variable.assign(ops.where(some, moved, value))
        return outputs


def moved_by_batches(layer) -> list:
    """The numbers that a call in training moves without a gradient.

    Args:
        layer: Any, with those inside it. A frozen one moves nothing.
    """
    # No public name tells them from the kernels of a frozen layer.
    return [
        variable
        for part in layer._flatten_layers()
        if part.trainable
        for variable in part._non_trainable_variables
        if "float" in variable.dtype
    ]


def has_averages(layer) -> bool:
    """Whether a layer, or one inside it, has such numbers, frozen, unbuilt or not."""
    return any(
        isinstance(part, keras.layers.BatchNormalization)
        or any("float" in variable.dtype for variable in part._non_trainable_variables)
        for part in layer._flatten_layers()
    )
