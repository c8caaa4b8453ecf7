import keras

from keras_fusion.layers import PositionEmbedding


def transfer_weights(model: keras.Model, trained: keras.Model) -> None:
    """Gives a model the weights of one trained on pictures or sequences of other sizes.

    All weights are the same but for the embeddings of places, which are resampled: see
    `keras_fusion.layers.PositionEmbedding`.

    Args:
        model: Built as `trained` was, with other `input_shapes`; gets the weights.
        trained: A zoo model.

    Raises:
        ValueError: If the models differ in more than the number of places.

    Example:

    >>> from keras_fusion.zoo import MutualFormerClassifier
    >>> small, large = (
    ...     MutualFormerClassifier({"rgb": (side, side, 3)}, 2, units=4, depth=1)
    ...     for side in (8, 16)
    ... )
    >>> transfer_weights(large, trained=small)
    """
    places = [
        {id(x.embeddings): x for x in part.layers if isinstance(x, PositionEmbedding)}
        for part in (model, trained)
    ]
    if len(model.weights) != len(trained.weights):
        raise ValueError(
            f"{model.name} has {len(model.weights)} weights; received "
            f"{len(trained.weights)}, of {trained.name}."
        )
    found = []
    for own, old in zip(model.weights, trained.weights):
        layer, source = (known.get(id(x)) for known, x in zip(places, (own, old)))
        value = layer.resampled(source) if layer and source else old
        if tuple(value.shape) != tuple(own.shape):
            raise ValueError(
                f"{own.path} of {model.name} has the shape {tuple(own.shape)}; "
                f"received {tuple(old.shape)}."
            )
        found.append(value)
    for own, value in zip(model.weights, found):
        own.assign(value)
