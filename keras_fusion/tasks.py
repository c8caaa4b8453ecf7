"""What the labels of a data set ask for: loss, head, and how to judge."""

from collections.abc import Callable
from typing import NamedTuple

import keras

from keras_fusion import scores
from keras_fusion.datasets import Dataset
from keras_fusion.losses import SaliencyLoss
from keras_fusion.metrics import IntersectionOverUnion


class Task(NamedTuple):
    """How a model of some data is trained, judged and used.

    Attributes:
        metric: Name of what `score` measures.
        score: From labels and outputs, higher is better.
        loss: Makes a loss for `compile`.
        watched: Makes the Keras metric that validation reports, or is None; then minus
            the loss stands for it.
        head: Of the builder, while it trains.
        deployed_head: Of the builder, in the model that is saved for use.
        measures: More to report on the test set, from labels and outputs, by name.
    """

    metric: str
    score: Callable
    loss: Callable[[], keras.losses.Loss]
    watched: Callable[[int], keras.metrics.Metric] | None
    head: dict = {}
    deployed_head: dict = {}
    measures: Callable[..., dict[str, float]] = lambda labels, outputs: {}


def task_of(data: Dataset) -> Task:
    """The task of this data set."""
    if data.train.labels.ndim > 1:
        return _SALIENCY if data.classes == 1 else _SEGMENTATION
    return _CLASSIFICATION if data.class_names else _REGRESSION


_CLASSIFICATION = Task(
    "accuracy",
    scores.accuracy,
    keras.losses.SparseCategoricalCrossentropy,
    lambda classes: keras.metrics.SparseCategoricalAccuracy(name="accuracy"),
)
_REGRESSION = Task(
    "R^2",
    scores.r_squared,
    keras.losses.MeanSquaredError,
    None,
    head={"classifier_activation": None},
    deployed_head={"classifier_activation": None},
)
_SALIENCY = Task(
    "foreground IoU",
    scores.foreground_iou,
    SaliencyLoss,
    IntersectionOverUnion,
    head={"classifier_activation": None},
    deployed_head={"classifier_activation": "sigmoid"},
    measures=scores.saliency_measures,
)
_SEGMENTATION = Task(
    "mean IoU",
    scores.mean_iou,
    lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    IntersectionOverUnion,
    head={"classifier_activation": None},
    deployed_head={"classifier_activation": "softmax"},
)
