"""The classification head."""

from numbers import Integral

from keras import layers

from keras_fusion.layers import ContinuationRatio, CumulativeLink
from keras_fusion.zoo.parts.encoders import pool_positions

# Heads of classes in an order, which an activation cannot make of one logit a class.
ORDINAL = {
    "continuation_ratio": ContinuationRatio,
    "cumulative_link": CumulativeLink,
}


def classify(
    fused, classes: int, *, dropout, activation, include_top=True, name="predictions"
):
    """Class probabilities `(B, classes)` float32, or the pooled features `(B, U)`."""
    fused = pool_positions(fused)
    if not include_top:
        return fused
    check_classes(classes, activation)
    dropout_name = name.replace("predictions", "head_dropout")
    fused = layers.Dropout(dropout, name=dropout_name)(fused)
    if activation in ORDINAL:
        return ORDINAL[activation](int(classes), dtype="float32", name=name)(fused)
    head = layers.Dense(int(classes), activation=activation, dtype="float32", name=name)
    return head(fused)


def is_regression(classes, activation) -> bool:
    """Whether such a head gives a number and no class."""
    return classes == 1 and activation is None


def check_classes(classes, activation) -> None:
    """Raises a ValueError unless so many classes make sense with this activation."""
    if not isinstance(classes, Integral) or isinstance(classes, bool) or classes < 1:
        raise ValueError(f"classes must be a positive integer; received {classes!r}.")
    if classes == 1 and activation == "softmax":
        raise ValueError(
            "classes=1 with a softmax is always 1: use classes=2, or "
            'classifier_activation="sigmoid" for two classes, None for regression.'
        )
