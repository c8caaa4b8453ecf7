"""A linear model of the inputs beside the network that fuses them."""

from keras import layers

from keras_fusion.layers.linear_features import LinearFeatures
from keras_fusion.names import MASK

PATH = "linear_path"
_TABLE = "ColumnEmbedding"


def linear_path(streams: dict, encoders: dict | None, mask, units: int):
    """A linear form `(B, units)` of the vectors and columns that are there.

    It is zero, and `fit` leaves it so: `zoo.blend_ridge` is what sets it.

    Args:
        streams: The modalities by name, `(B, ...)`.
        encoders: Those that are given, by name of the modality. The numbers in front of
            one are no linear model's, but for columns of a table.
        mask: `(B, M)` of what is present, or None.
        units: How many numbers are predicted.

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
    call = {} if mask is None else {MASK: mask}
    return layers.Dense(
        units,
        use_bias=False,
        kernel_initializer="zeros",
        trainable=False,
        dtype="float32",
        name=PATH,
    )(features([streams[name] for name in columns], **call))


def path_of(model):
    """The linear path of a model, or None."""
    return next((x for x in model.layers if x.name == PATH), None)
