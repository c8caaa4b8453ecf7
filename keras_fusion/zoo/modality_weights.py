import weakref

import keras
from keras import ops

from keras_fusion.common.names import EDGE_INDEX
from keras_fusion.layers.ensemble_average import EnsembleAverage
from keras_fusion.ops.presence import share
from keras_fusion.zoo.parts.inputs import check_inputs

# The model that gives the weights takes longer to build and to compile than to ask, so
# it is kept for as long as its own model lives.
_WEIGHERS = weakref.WeakKeyDictionary()


def modality_weights(model: keras.Model, inputs: dict):
    """How much each modality weighed in the last fusion of a zoo model.

    Args:
        model: A zoo model whose operator has weights, new or loaded.
        inputs: The model's inputs by name, arrays of B samples.

    Returns:
        `(B, M)` float32 array: absolute raw weights of the last block, averaged over
        heads, channels and positions, normalized over what is present.

    Raises:
        ValueError: If the model's operator has no weights, or an input is missing or
            unknown.
    """
    check_inputs(model, inputs)
    weigher = _WEIGHERS.get(model)
    if weigher is None:
        weigher = _WEIGHERS[model] = _weigher(model)
    if EDGE_INDEX in inputs:  # a graph is one batch
        return ops.convert_to_numpy(weigher(inputs))
    return weigher.predict(inputs, verbose=0)


def _weigher(model):
    weights = symbolic_weights(model)
    if weights is None:
        raise ValueError(
            f"{model.name} has no weights of its modalities. To attribute its output "
            "to them use keras_fusion.attribution.shapley_values."
        )
    return keras.Model(model.input, weights)


def symbolic_weights(model: keras.Model):
    """The `(B, M)` of `modality_weights` as a tensor in the model's own graph.

    None where the model does not fuse by an operator that has weights.
    """
    members = [x for x in model.layers if isinstance(x, EnsembleAverage)]
    if members:
        return _mean_weights(model, members[0])
    outputs = [layer.output for layer in model.layers if layer.name == "fusion"]
    if not outputs or not isinstance(outputs[0], (list, tuple)):
        return None
    return share(outputs[0][1])  # the operator's weights are zero where it has nothing


def _mean_weights(model, average):
    """The mean over the members of an ensemble; None where some have no weights."""
    count = len(average.shares)
    each = []
    for member in (model.get_layer(f"member_{i}") for i in range(count)):
        weights = symbolic_weights(member)
        if weights is None or member.input.keys() != model.input.keys():
            return None
        each.append(keras.Model(member.input, weights)(model.input))
    return EnsembleAverage(average.shares)(each)
