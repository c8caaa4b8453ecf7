"""What the labels of a data set ask for: loss, head, and how to judge."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import keras

from keras_fusion.common.errors import InputError
from keras_fusion.common.names import IGNORED
from keras_fusion.datasets import Dataset
from keras_fusion.experiments import measures, scores
from keras_fusion.losses import SaliencyLoss
from keras_fusion.metrics import IntersectionOverUnion, QuadraticKappa, RSquared
from keras_fusion.survival import CensoredCrossentropy, CoxLoss


class Task(NamedTuple):
    """How a model of some data is trained, judged and used.

    Attributes:
        metric: Name of what `score` measures.
        score: From labels and outputs, higher is better.
        loss: Makes a loss for `compile`.
        watched: Makes the Keras metric that validation reports; None: `score` itself is
            computed of all validation rows at once.
        head: Of the builder, while it trains.
        deployed_head: Of the builder, in the model that is saved for use.
        measures: More to report on the test set, from labels and outputs, by name.
        watchable: Further scores that validation may watch, by name.
        named: From `(B, K)` probabilities to the numbers `(B,)` of the named classes.
        likelihood: From labels and outputs, higher is better; on few rows it tells more
            than a share of right answers does. None where `score` is as fine.
    """

    metric: str
    score: Callable
    loss: Callable[[], keras.losses.Loss]
    watched: Callable[[int], keras.metrics.Metric] | None
    head: dict = {}
    deployed_head: dict = {}
    measures: Callable[..., dict[str, float]] = lambda labels, outputs: {}
    watchable: dict[str, Callable] = {}
    named: Callable = scores.most_probable
    likelihood: Callable | None = None


def task_of(data: Dataset) -> Task:
    """The task of this data set."""
    return task_for(data.train.labels.ndim, data.classes, data.named_task)


def task_for(axes: int, classes: int, named: str | None = None) -> Task:
    """The task of labels with so many axes.

    Args:
        axes: 1 where a row has one label, 2 for several at once, 3 for masks.
        classes: 1 is regression, and of pixels foreground against background.
        named: `"ordinal"`, `"risk"` or `"survival"`, where it is one of them.
    """
    if named is not None:
        return _NAMED[named]
    if axes == 2:
        return _MULTILABEL
    if axes == 3:
        return _SALIENCY if classes == 1 else _SEGMENTATION
    return _REGRESSION if classes == 1 else _CLASSIFICATION


def taught(task: Task) -> Task:
    """The task where a model learns shares of classes in place of classes.

    Raises:
        InputError: If pixels have labels, or labels are times or classes in an order.
    """
    if task in (_SALIENCY, _SEGMENTATION):
        raise InputError("Models of pixels learn from no other model here.")
    if task in _NAMED.values():
        raise InputError("Models of times or of an order learn from no other here.")
    if task is not _CLASSIFICATION:
        return task
    return task._replace(
        loss=keras.losses.CategoricalCrossentropy,
        watched=lambda classes: keras.metrics.CategoricalAccuracy(name="accuracy"),
    )


_CLASSIFICATION = Task(
    "accuracy",
    scores.accuracy,
    keras.losses.SparseCategoricalCrossentropy,
    lambda classes: keras.metrics.SparseCategoricalAccuracy(name="accuracy"),
    measures=measures.classification,
    watchable={
        "balanced accuracy": measures.balanced_accuracy,
        "macro F1": measures.macro_f1,
        "AUC": measures.auc,
        "average precision": measures.average_precision,
    },
    likelihood=measures.log_likelihood,
)
_MULTILABEL = Task(
    "mean average precision",
    measures.mean_average_precision,
    keras.losses.BinaryCrossentropy,
    lambda classes: keras.metrics.AUC(
        curve="PR",
        multi_label=True,
        num_labels=classes,
        name="mean_average_precision",
    ),
    head={"classifier_activation": "sigmoid"},
    deployed_head={"classifier_activation": "sigmoid"},
    measures=measures.multilabel,
    watchable={
        "macro F1": measures.macro_f1_of_labels,
        "AUC": measures.mean_auc,
    },
)
_REGRESSION = Task(
    "R^2",
    scores.r_squared,
    keras.losses.MeanSquaredError,
    lambda classes: RSquared(name="r_squared"),
    head={"classifier_activation": None},
    deployed_head={"classifier_activation": None},
    measures=measures.regression,
)
_SALIENCY = Task(
    "foreground IoU",
    scores.foreground_iou,
    lambda: SaliencyLoss(ignore_class=IGNORED),
    lambda classes: IntersectionOverUnion(classes, ignore_class=IGNORED),
    head={"classifier_activation": None},
    deployed_head={"classifier_activation": "sigmoid"},
    measures=scores.saliency_measures,
)
_SEGMENTATION = Task(
    "mean IoU",
    scores.mean_iou,
    lambda: keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, ignore_class=IGNORED
    ),
    lambda classes: IntersectionOverUnion(classes, ignore_class=IGNORED),
    head={"classifier_activation": None},
    deployed_head={"classifier_activation": "softmax"},
)
_ORDINAL = Task(
    "quadratic weighted kappa",
    measures.quadratic_kappa,
    keras.losses.SparseCategoricalCrossentropy,
    lambda classes: QuadraticKappa(classes, name="quadratic_weighted_kappa"),
    head={"classifier_activation": "cumulative_link"},
    deployed_head={"classifier_activation": "cumulative_link"},
    measures=measures.ordinal,
    watchable={
        "accuracy": functools.partial(scores.accuracy, named=scores.in_the_middle),
        "macro F1": functools.partial(measures.macro_f1, named=scores.in_the_middle),
    },
    named=scores.in_the_middle,
    likelihood=measures.log_likelihood,
)
_RISK = Task(
    "concordance",
    scores.concordance,
    CoxLoss,
    None,
    head={"classifier_activation": None},
    deployed_head={"classifier_activation": None},
)
_SURVIVAL = Task(
    "concordance",
    scores.concordance,
    CensoredCrossentropy,
    None,
    head={"classifier_activation": "continuation_ratio"},
    deployed_head={"classifier_activation": "continuation_ratio"},
)
_NAMED = {"ordinal": _ORDINAL, "risk": _RISK, "survival": _SURVIVAL}
