import keras

from keras_fusion.common.names import EDGES, MASK, safe_names


@keras.saving.register_keras_serializable("keras_fusion")
class ModalityInput(keras.layers.InputLayer):
    """An input whose key is the person's own name and whose layer has a safe one.

    Keras warns where the key of an input differs from its tensor's name, and TensorFlow
    takes few names for a layer. So the tensor has the one and the layer the other.

    Args:
        modality: The modality's own name; see `keras_fusion.common.names`.
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


def inputs_like(named: dict) -> dict:
    """New inputs of the same keys, shapes and dtypes, whatever the keys are.

    Args:
        named: Tensors by name of a modality, as `model.input` has them, `modality_mask`
            and the edges of a graph among them.
    """

    def like(name, safe, x):
        if name == MASK or name in EDGES:
            return keras.Input(batch_shape=x.shape, dtype=x.dtype, name=name)
        return ModalityInput(name, x.shape, x.dtype, f"{safe}_input").output

    return {
        name: like(name, safe, named[name]) for name, safe in safe_names(named).items()
    }
