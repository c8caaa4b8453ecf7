"""Metrics that Keras does not have, or not fast."""

import keras
import numpy as np
from keras import ops

from keras_fusion.ops.median_class import median_class


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
        name, dtype: As for `keras.metrics.Metric`. Weights of samples `(B,)` or pixels
            `(B, H, W)` say how much each counts.
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
        weights = 1 if sample_weight is None else self._of_pixels(sample_weight, y_pred)
        for total, pixels in (
            (self.both, ops.logical_and(found, there)),
            (self.either, ops.logical_or(found, there)),
        ):
            pixels = weights * ops.cast(pixels, self.dtype)
            total.assign_add(ops.sum(pixels, axis=axes))

    def result(self):
        either = ops.convert_to_tensor(self.either)
        occurs = ops.cast(either > 0, self.dtype)
        ious = self.both / ops.where(either > 0, either, 1)
        return ops.sum(ious) / ops.maximum(ops.sum(occurs), 1)

    def _of_pixels(self, weights, y_pred):
        """Weights of samples `(B,)`, or of pixels, with as many axes as the masks."""
        weights = ops.cast(weights, self.dtype)
        axes = len(y_pred.shape) - len(weights.shape)
        return weights[(..., *[None] * axes)]

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


def recall_at_k(queries, candidates, k=(1, 5, 10), groups=None, modality_mask=None):
    """How often the right candidate is among the k nearest of a query.

    Rows of the same number belong together. A candidate that is as near as the right
    one counts as nearer, so that embeddings which are all the same find nothing.

    Args:
        queries: Array `(B, U)`, of unit length as a rule.
        candidates: Array `(B, U)`.
        k: The numbers of candidates that are looked at.
        groups: `(B,)`, what belongs together where that is more than the row itself: a
            candidate of the query's group is right. None: each row is its own group.
        modality_mask: `(B, 2)` bool, where query and candidate are present, or None
            (all). Rows without both ask nothing; absent candidates are not looked at.

    Returns:
        Dict from each k to the share of the queries, NaN where no row has both.

    Raises:
        ValueError: If shapes do not fit, or an embedding that is present is not finite.

    Example:

    >>> x = np.eye(3)
    >>> recall_at_k(x, x[[0, 2, 1]], k=(1, 3))
    {1: 0.3333333333333333, 3: 1.0}
    """
    queries, candidates = (np.asarray(x, "float32") for x in (queries, candidates))
    if queries.ndim != 2 or queries.shape != candidates.shape:
        raise ValueError(
            "recall_at_k expects queries and candidates of one shape (B, U); received "
            f"{queries.shape} and {candidates.shape}."
        )
    there = np.ones((len(queries), 2), bool)
    there = there if modality_mask is None else np.asarray(modality_mask, bool)
    groups = np.arange(len(queries)) if groups is None else np.asarray(groups)
    asking, found = there.all(axis=1), there[:, 1]
    queries, candidates = queries[asking], candidates[found]
    if not (np.isfinite(queries).all() and np.isfinite(candidates).all()):
        raise ValueError("recall_at_k expects finite embeddings of what is present.")
    nearer = [
        _wrong_and_as_near(rows, own, candidates, groups[found])
        for rows, own in _blocks(queries, groups[asking])
    ]
    nearer = np.concatenate([*nearer, np.empty(0)])
    return {n: float((nearer < n).mean()) if len(nearer) else np.nan for n in k}


def _blocks(queries, groups, size=1024):
    """So many queries at a time, since the scores of all would not fit."""
    for start in range(0, len(queries), size):
        yield queries[start : start + size], groups[start : start + size]


def _wrong_and_as_near(queries, own, candidates, groups):
    """`(B,)`: how many wrong candidates are as near as the nearest right one."""
    scores = queries @ candidates.T
    right = own[:, None] == groups
    best = np.where(right, scores, -np.inf).max(axis=1, keepdims=True)
    return ((scores >= best) & ~right).sum(axis=1)


@keras.saving.register_keras_serializable("keras_fusion")
class QuadraticKappa(keras.metrics.Metric):
    """Cohen's kappa of classes in an order, weighted by the square of the distance.

    `1 - sum w O / sum w E` with `w = (k - l)^2`: pairs of true and named class, against
    those that chance would pair. 0 where nothing could be off.

    Shapes: labels `(B,)` class numbers, probabilities `(B, K)`, whose
    `ops.median_class` is the named one.

    Args:
        classes: Number K of classes.
        name, dtype: As for `keras.metrics.Metric`.

    Reference: Cohen, 1968, Weighted Kappa.
    """

    def __init__(
        self,
        classes: int,
        name: str = "quadratic_weighted_kappa",
        dtype: str | None = None,
    ):
        super().__init__(name=name, dtype=dtype)
        self.classes = classes
        self.pairs = self.add_variable(
            (classes, classes), initializer="zeros", name="pairs"
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        true = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        named = median_class(y_pred)
        true, named = (
            ops.one_hot(x, self.classes, dtype=self.dtype) for x in (true, named)
        )
        if sample_weight is not None:
            true *= ops.reshape(ops.cast(sample_weight, self.dtype), (-1, 1))
        self.pairs.assign_add(ops.matmul(ops.transpose(true), named))

    def result(self):
        numbers = ops.arange(self.classes, dtype=self.dtype)
        off = ops.square(numbers[:, None] - numbers)
        pairs = ops.convert_to_tensor(self.pairs)
        true = ops.sum(pairs, axis=1, keepdims=True)
        named = ops.sum(pairs, axis=0, keepdims=True)
        observed = ops.sum(off * pairs) * ops.sum(pairs)
        expected = ops.sum(off * true * named)
        return ops.where(
            expected > 0, 1 - observed / ops.where(expected > 0, expected, 1), 0
        )

    def get_config(self):
        return super().get_config() | {"classes": self.classes}
