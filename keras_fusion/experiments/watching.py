"""The validation score that a run is judged by."""

import keras
import numpy as np

from keras_fusion.common.catalogue import find
from keras_fusion.experiments.batches import InOrder, model_inputs
from keras_fusion.experiments.tasks import Task

LOSS = "loss"


class Watch(keras.callbacks.Callback):
    """Scores the validation rows, where no metric of Keras' own does.

    Args:
        metric: The task's own, one of its `watchable`, or `"loss"`; None is its own.
        task: What the labels ask for.
        split: The validation rows, with their own labels.
        epochs: Those to score after, counted from 1.

    Attributes:
        key: Of the logs.
        name: What the score is called.
    """

    def __init__(self, metric: str | None, task: Task, split, epochs: list[int]):
        super().__init__()
        own = task.watched(2).name if task.watched else task.metric
        self.score = None
        if metric not in (None, LOSS, own, task.metric):
            known = {own: None, **task.watchable, LOSS: None}
            self.score = find("metric", metric, known)
        other = metric if self.score or metric == LOSS else None
        if other is None and task.watched is None:
            self.score = task.score
        self.name = other or task.metric
        self.task = task
        self.key = f"val_{other or own}"
        self.split = split
        self.epochs = set(epochs)

    def on_epoch_end(self, epoch, logs=None):
        if self.score is None or epoch + 1 not in self.epochs:
            return
        logs[self.key] = self.score(np.asarray(self.split.labels), self._outputs())

    def judged(self) -> float:
        """The score of the model as it is now, of which higher is better."""
        labels, outputs = np.asarray(self.split.labels), self._outputs()
        if self.name == LOSS:
            labels = labels[:, None] if outputs.shape[1] == 1 else labels
            return -float(self.task.loss()(labels, outputs))
        return (self.score or self.task.score)(labels, outputs)

    def _outputs(self):
        split = self.split
        inputs = model_inputs(self.model, split.inputs, split.modality_mask)
        return self.model.predict(InOrder(inputs), verbose=0)[: len(split.labels)]

    def of(self, value: float) -> float:
        """A value of the logs as a score, of which higher is better."""
        return -value if self.name == LOSS else value
