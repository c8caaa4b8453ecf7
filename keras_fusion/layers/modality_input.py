import keras


@keras.saving.register_keras_serializable("keras_fusion")
class ModalityInput(keras.layers.InputLayer):
    """An input whose key is the person's own name and whose layer has a safe one.

    Keras warns where the key of an input differs from its tensor's name, and TensorFlow
    takes few names for a layer. So the tensor has the one and the layer the other.

    Args:
        modality: The modality's own name; see `keras_fusion.names`.
        batch_shape, dtype, name: As for `keras.layers.InputLayer`.

    Example:

    >>> layer = ModalityInput("length (cm)", (None, 3), name="length_cm_input")
    >>> layer.output.name
    'length (cm)'
    """

    def __init__(
        self,
        modality: str,
        batch_shape: tuple,
        dtype: str | None = None,
        name: str | None = None,
        **kwargs,
    ):
        tensor = keras.KerasTensor(batch_shape, dtype=dtype, name=modality)
        super().__init__(input_tensor=tensor, name=name)
        self.modality = modality

    def get_config(self):
        return super().get_config() | {"modality": self.modality}
