"""A linear model of the inputs beside the network that fuses them."""

import keras

from keras_fusion.common.names import MASK, safe_names
from keras_fusion.layers.bag_of_words import BagOfWords
from keras_fusion.layers.blend import Blend
from keras_fusion.layers.linear_features import LinearFeatures
from keras_fusion.layers.linear_prediction import LinearPrediction
from keras_fusion.zoo.parts.head import ORDINAL, is_regression

PATH = "predictions_linear"  # no modality's head can be called so
BLEND = "blend"
WORDS = 2000  # of a text, the most frequent ones: their codes are the lowest
_FEATURES = "linear_features"
_TABLE, _TEXT = "ColumnEmbedding", "Embedding"


def wanted(linear_path: bool | None, classes: int, activation) -> bool:
    """Whether a model with this head has a linear path, as its argument says.

    Raises:
        ValueError: If no linear model has such a head.
    """
    if linear_path and activation in ORDINAL:
        raise ValueError(
            "linear_path=True is for softmax, sigmoid or no classifier_activation; "
            f"received {activation!r}."
        )
    if linear_path is None:
        return is_regression(classes, activation)
    return linear_path


def linear_path(streams: dict, encoders: dict | None, mask, units: int, activation):
    """What a linear model `(B, units)` predicts of the vectors, columns and texts.

    It knows nothing, and `fit` leaves it so: `zoo.blend_linear` is what fits it.

    Args:
        streams: The modalities by name, `(B, ...)`.
        encoders: Those that are given, by name of the modality. What is in front of one
            is no linear model's, but for columns of a table and words of a text.
        mask: `(B, M)` of what is present, or None.
        units: How many classes or numbers are predicted.
        activation: Of the prediction.

    Returns:
        None where no modality is a vector, a table or a text.
    """
    columns, inputs, vocabularies = {}, [], []
    safe = safe_names(streams)
    for m, (name, x) in enumerate(streams.items()):
        encoder = (encoders or {}).get(name)
        kind, config = _first(encoder)
        if len(x.shape) != 2:
            continue
        if kind == _TEXT:
            count = min(config["input_dim"], WORDS)
            words = BagOfWords(count, m, name=f"{safe[name]}_words")
            inputs += [x, words(x, **_given(mask))]
            vocabularies.append(count)
        elif encoder is None or kind == _TABLE:
            columns[m] = config.get("columns")
    if columns:
        features = LinearFeatures([*columns], [*columns.values()], name=_FEATURES)
        numbers = [x for m, x in enumerate(streams.values()) if m in columns]
        inputs.insert(0, features(numbers, **_given(mask)))
    if not inputs:
        return None
    return LinearPrediction(
        units,
        vocabularies,
        activation=activation,
        trainable=False,
        dtype="float32",
        name=PATH,
    )(inputs)


def _first(encoder) -> tuple:
    """The name and the configuration of a described encoder's first layer."""
    first = encoder[0] if isinstance(encoder, (list, tuple)) and encoder else {}
    if not isinstance(first, dict):
        return None, {}
    return first.get("class_name"), first.get("config", {})


def blended(network, linear, mask, activation):
    """The model's output from the network's prediction and the linear path's."""
    return Blend(activation, dtype="float32", name=BLEND)(
        [network, linear], **_given(mask)
    )


def parts_of(model: keras.Model):
    """The linear path of a model and its `Blend`, or None twice."""
    found = {x.name: x for x in model.layers if x.name in (PATH, BLEND)}
    return found.get(PATH), found.get(BLEND)


def _given(mask):
    return {} if mask is None else {MASK: mask}
