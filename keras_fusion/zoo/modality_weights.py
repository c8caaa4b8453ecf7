import keras
from keras import ops

from keras_fusion.names import EDGE_INDEX
from keras_fusion.ops.presence import share
from keras_fusion.zoo.parts.inputs import check_inputs


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
    weights = symbolic_weights(model)
    if weights is None:
        raise ValueError(
            f"{model.name} has no weights of its modalities. To attribute its output "
            "to them use Shapley values."
        )
    weigher = keras.Model(model.input, weights)
    if EDGE_INDEX in inputs:  # a graph is one batch
        return ops.convert_to_numpy(weigher(inputs))
    return weigher.predict(inputs, verbose=0)


def symbolic_weights(model: keras.Model):
    """The `(B, M)` of `modality_weights` as a tensor in the model's own graph.

    None where the model does not fuse by an operator that has weights.
    """
    outputs = [layer.output for layer in model.layers if layer.name == "fusion"]
    if not outputs or not isinstance(outputs[0], (list, tuple)):
        return None
    return share(outputs[0][1])  # the operator's weights are zero where it has nothing
