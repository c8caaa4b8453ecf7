"""Metrics that Keras does not have, or not fast."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_fusion")
class IntersectionOverUnion(keras.metrics.Metric):
    """Mean over the classes that occur of their IoU, all pixels counted together.

    By sums alone; `keras.metrics.MeanIoU` scatters every pixel into a confusion matrix,
    which takes a third of a small network's step.

    Shapes: masks `(B, H, W)` of class numbers, logits or probabilities
    `(B, H, W, classes)`; with one class masks of 0 and 1, and logits.

    Args:
        classes: Number of classes; 1 for foreground alone.
        ignore_class: The number of pixels that do not count, or None.
        name, dtype: As for `keras.metrics.Metric`.
    """

    def __init__(
        self,
        classes: int = 1,
        ignore_class: int | None = None,
        name: str = "iou",
        dtype: str | None = None,
    ):
        super().__init__(name=name, dtype=dtype)
        self.classes = classes
        self.ignore_class = ignore_class
        for part in ("both", "either"):
            weight = self.add_variable((classes,), initializer="zeros", name=part)
            setattr(self, part, weight)

    def update_state(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            raise ValueError(f"{self.name} counts pixels and takes no sample weights.")
        y_true = ops.cast(y_true, "int32")
        y_true = ops.reshape(y_true, ops.shape(y_pred)[:-1])
        if self.classes == 1:
            found, there = y_pred > 0, y_true[..., None] > 0
        else:
            numbers = ops.arange(self.classes, dtype="int32")
            found = ops.cast(ops.argmax(y_pred, axis=-1), "int32")[..., None] == numbers
            there = y_true[..., None] == numbers
        if self.ignore_class is not None:
            kept = ops.not_equal(y_true, self.ignore_class)[..., None]
            found, there = (ops.logical_and(x, kept) for x in (found, there))
        axes = tuple(range(len(y_pred.shape) - 1))
        for total, pixels in (
            (self.both, ops.logical_and(found, there)),
            (self.either, ops.logical_or(found, there)),
        ):
            total.assign_add(ops.sum(ops.cast(pixels, self.dtype), axis=axes))

    def result(self):
        occurs = ops.cast(self.either > 0, self.dtype)
        ious = self.both / ops.maximum(self.either, 1)
        return ops.sum(ious) / ops.maximum(ops.sum(occurs), 1)

    def get_config(self):
        return super().get_config() | {
            "classes": self.classes,
            "ignore_class": self.ignore_class,
        }


@keras.saving.register_keras_serializable("keras_fusion")
class RSquared(keras.metrics.R2Score):
    """R^2 of `(B, 1)` predictions, whose labels may be `(B,)`; Keras wants `(B, 1)`."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true = ops.reshape(y_true, ops.shape(y_pred))
        super().update_state(y_true, y_pred, sample_weight)
