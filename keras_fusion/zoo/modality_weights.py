import keras

from keras_fusion.catalogue import find
from keras_fusion.ops.presence import share
from keras_fusion.zoo.inputs import MASK, check_inputs


def modality_weights(model: keras.Model, inputs: dict):
    """How much each modality weighed in the last fusion of a zoo model.

    Args:
        model: A zoo model whose operator has weights, new or loaded.
        inputs: The model's inputs by name, arrays of B samples.

    Returns:
        `(B, M)` float32 array: absolute raw weights of the last block, averaged over
        heads, channels and positions, normalised over what is present.

    Raises:
        ValueError: If the model's operator has no weights, or an input is missing or
            unknown.
    """
    check_inputs(model, inputs)
    weigher = keras.Model(model.input, symbolic_weights(model))
    return weigher.predict(inputs, verbose=0)


def symbolic_weights(model: keras.Model):
    """The `(B, M)` of `modality_weights` as a tensor in the model's own graph."""
    layers = {layer.name: layer for layer in model.layers}
    outputs = find("layer", "fusion", layers).output
    if not isinstance(outputs, (list, tuple)):
        raise ValueError(
            f"{model.name} fuses by {type(layers['fusion']).__name__}, which has no "
            "weights. To attribute its output to modalities use Shapley values."
        )
    mask = model.input.get(MASK) if isinstance(model.input, dict) else None
    return share(outputs[1], mask)
