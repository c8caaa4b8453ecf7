from typing import NamedTuple

import keras

from keras_fusion.common.catalogue import find
from keras_fusion.survival import CensoredCrossentropy, CoxLoss
from keras_fusion.zoo.fusion_classifier import FusionClassifier
from keras_fusion.zoo.parts.head import classify
from keras_fusion.zoo.weights import load_weights


class _Task(NamedTuple):
    activation: str | None
    loss: type[keras.losses.Loss]
    outputs: int | None  # where nobody says how many; None has to be said


TASKS = {
    "classification": _Task(
        "softmax", keras.losses.SparseCategoricalCrossentropy, None
    ),
    "multilabel": _Task("sigmoid", keras.losses.BinaryCrossentropy, None),
    "ordinal": _Task(
        "cumulative_link", keras.losses.SparseCategoricalCrossentropy, None
    ),
    "regression": _Task(None, keras.losses.MeanSquaredError, 1),
    "risk": _Task(None, CoxLoss, 1),
    "survival": _Task("continuation_ratio", CensoredCrossentropy, None),
}


def FusionModel(
    input_shapes: dict,
    task: str | dict = "classification",
    outputs: int | None = None,
    **kwargs,
) -> keras.Model:
    """Several inputs about one thing, and what is to be said of it: any task.

    It is `FusionClassifier` with the head of the task, and `task_loss(task)` is the
    loss that goes with it. Labels and outputs are, by task:

    - `"classification"`: `(B,)` class numbers; probabilities `(B, K)`.
    - `"multilabel"`: `(B, K)` of 0 and 1; probabilities `(B, K)`.
    - `"ordinal"`: `(B,)` numbers of classes that have an order; probabilities `(B, K)`
      of a `CumulativeLink`, whose `ops.median_class` is the class to name.
    - `"regression"`: `(B, K)` numbers, best of mean 0 and deviation 1; such numbers.
    - `"risk"`: `(B, 2)`, time and event; the logarithm of the risk `(B, 1)`, by Cox.
    - `"survival"`: `(B, 2)` as from `survival.in_intervals`; probabilities `(B, K)` of
      the intervals, of a `ContinuationRatio`.

    Inputs are those of `FusionClassifier`.

    Args:
        input_shapes: Shape without batch axis of each modality, by name.
        task: One of the table; or for several outputs of one fusion a dict by name, of
            a task or of `(task, outputs)`. Labels, losses and outputs are dicts by the
            same names then, which are such that Python has variables of them.
        outputs: How many classes K, labels, intervals or numbers; 1 where a task is
            about numbers and nobody says it.
        **kwargs: The further arguments of `FusionClassifier`. Of several outputs none
            has `heads` of single modalities.

    Returns:
        An uncompiled functional model.

    Raises:
        ValueError: If an argument does not fit; the message says what came.

    Example:

    >>> shapes = {"scan": (32, 32, 1), "blood": (12,)}
    >>> model = FusionModel(shapes, {"grade": ("ordinal", 4), "age": "regression"})
    >>> {name: tuple(x.shape) for name, x in model.output.items()}
    {'grade': (None, 4), 'age': (None, 1)}
    """
    for argument in ("classes", "classifier_activation"):
        if argument in kwargs:
            raise ValueError(
                f"FusionModel has task and outputs in place of {argument}; received "
                f"{argument}={kwargs[argument]!r}."
            )
    name = kwargs.pop("name", "fusion_model")
    if not isinstance(task, dict):
        known, size = _sized("FusionModel", task, outputs)
        if task == "risk":  # which `blend_linear` would take for a number
            kwargs = {"linear_path": False} | kwargs
        kwargs = {"classifier_activation": known.activation, "name": name} | kwargs
        return FusionClassifier(input_shapes, size, **kwargs)
    if outputs is not None or kwargs.get("heads") or not task:
        raise ValueError(
            "FusionModel of several outputs expects a dict from names to (task, "
            f"outputs), and no heads; received {task!r}, outputs={outputs!r}, "
            f"heads={kwargs.get('heads')!r}."
        )
    unfit = [n for n in task if not isinstance(n, str) or not n.isidentifier()]
    if unfit:  # Keras names scopes by them, which TensorFlow refuses
        raise ValueError(
            "FusionModel expects names of outputs of letters, digits and _; received "
            f"{unfit[0]!r}."
        )
    sized = {n: _sized(n, *_pair(given)) for n, given in task.items()}
    base = FusionClassifier(
        input_shapes, 1, **(kwargs | {"include_top": False, "weights": None})
    )
    dropout = kwargs.get("dropout", 0.5)
    found = {
        n: classify(
            base.output,
            size,
            dropout=dropout,
            activation=known.activation,
            name=f"{n}_predictions",
        )
        for n, (known, size) in sized.items()
    }
    model = keras.Model(base.input, found, name=name)
    load_weights(model, kwargs.get("weights"))
    return model


def task_loss(task: str | dict) -> keras.losses.Loss | dict:
    """A new loss for this task of `FusionModel`, or a dict of them by name.

    Example:

    >>> type(task_loss("risk")).__name__
    'CoxLoss'
    """
    if isinstance(task, dict):
        return {name: task_loss(_pair(given)[0]) for name, given in task.items()}
    return find("task", task, TASKS).loss()


def _pair(given):
    return given if isinstance(given, (tuple, list)) else (given, None)


def _sized(name, task, outputs):
    """The task of this name, and how many outputs it has."""
    known = find("task", task, TASKS)
    if outputs is None and known.outputs is None:
        raise ValueError(
            f"{name} of the task {task!r} expects outputs, the number of classes, "
            "labels or intervals; received None."
        )
    if task == "risk" and outputs not in (None, 1):
        raise ValueError(f"{name} of the task 'risk' has 1 output; received {outputs}.")
    return known, known.outputs if outputs is None else outputs
