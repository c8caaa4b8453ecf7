"""A linear model of the inputs beside the network that fuses them."""

import keras
from keras import layers

from keras_fusion.layers.blend import Blend
from keras_fusion.layers.linear_features import LinearFeatures
from keras_fusion.names import MASK
from keras_fusion.zoo.parts.head import ORDINAL, is_regression

PATH = "predictions_linear"  # no modality's head can be called so
BLEND = "blend"
_TABLE = "ColumnEmbedding"


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
    """What a linear model `(B, units)` predicts of the vectors and columns there are.

    It knows nothing, and `fit` leaves it so: `zoo.blend_linear` is what fits it.

    Args:
        streams: The modalities by name, `(B, ...)`.
        encoders: Those that are given, by name of the modality. The numbers in front of
            one are no linear model's, but for columns of a table.
        mask: `(B, M)` of what is present, or None.
        units: How many classes or numbers are predicted.
        activation: Of the prediction.

    Returns:
        None where no modality is a vector or a table.
    """
    columns = {}
    for name, x in streams.items():
        encoder = (encoders or {}).get(name)
        first = encoder[0] if isinstance(encoder, (list, tuple)) and encoder else {}
        if len(x.shape) != 2:
            continue
        if encoder is None:
            columns[name] = None
        elif isinstance(first, dict) and first.get("class_name") == _TABLE:
            columns[name] = first["config"]["columns"]
    if not columns:
        return None
    indices = [m for m, name in enumerate(streams) if name in columns]
    features = LinearFeatures(indices, list(columns.values()), name="linear_features")
    return layers.Dense(
        units,
        activation=activation,
        kernel_initializer="zeros",
        trainable=False,
        dtype="float32",
        name=PATH,
    )(features([streams[name] for name in columns], **_given(mask)))


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
