"""Whole batches gathered from arrays, in an order that seed and epoch decide."""

import functools
import math

import keras
import numpy as np

from keras_fusion.common.batching import prediction_batch
from keras_fusion.common.names import MASK
from keras_fusion.datasets import Split, modality_mask
from keras_fusion.datasets.columns.read_rows import ReadRows
from keras_fusion.experiments.ahead import Ahead
from keras_fusion.experiments.devices import replicas
from keras_fusion.experiments.hosts import own_part
from keras_fusion.zoo.parts.inputs import check_inputs


def model_inputs(
    model: keras.Model, inputs: dict, present: np.ndarray | None = None
) -> dict:
    """What `model` takes of a data set's inputs, the mask of absent rows included.

    Args:
        model: One with named inputs.
        inputs: `(B, ...)` arrays by modality.
        present: `Split.modality_mask` of these inputs; None finds it by NaN.

    Raises:
        ValueError: If the model takes something that the data does not have.
    """
    if MASK in model.input:
        present = modality_mask(inputs) if present is None else present
        columns = dict(zip(inputs, present.T, strict=True))
        taken = [columns[name] for name in model.input if name in inputs]
        mask = np.stack(taken, axis=1)
        # Keras takes a mean of the first batch over the replicas of TensorFlow, which
        # booleans have not.
        inputs = inputs | {MASK: mask if replicas() == 1 else mask.astype("int32")}
    taken = {name: x for name, x in inputs.items() if name in model.input}
    check_inputs(model, taken)
    return taken


def reads_files(inputs: dict) -> bool:
    """Whether some of these inputs are read from files as they are indexed."""
    return any(isinstance(x, ReadRows) for x in inputs.values())


def in_order(model: keras.Model, split: Split):
    """Rows as `validation_data`, by batches for several devices or from files."""
    inputs = model_inputs(model, split.inputs, split.modality_mask)
    if replicas() == 1 and not reads_files(inputs):
        return inputs, split.labels
    return InOrder(inputs, split.labels)


class InOrder(keras.utils.PyDataset):
    """All rows in their order, as many at once as `prediction_batch` says.

    On several devices each gets as many: the first row fills up the last batch, with
    the weight 0 where there are labels. On several hosts each reads its own part.

    Args:
        inputs: `(B, ...)` arrays by name, as the model takes them.
        labels: `(B, ...)`, or None to predict.
    """

    def __init__(self, inputs: dict, labels: np.ndarray | None = None):
        super().__init__()
        self.inputs = inputs
        self.labels = labels
        self.rows = len(next(iter(inputs.values())))
        self.devices = replicas()
        most = max(self.devices, prediction_batch(inputs))
        self.batch_size = most - most % self.devices

    def __len__(self):
        return math.ceil(self.rows / self.batch_size)

    def __getitem__(self, index):
        first = index * self.batch_size
        last = min(first + self.batch_size, self.rows)
        filling = -(last - first) % self.devices
        rows = slice(first, last)
        if filling:
            rows = np.append(np.arange(first, last), np.zeros(filling, int))
        batch = {name: x[rows] for name, x in self.inputs.items()}
        if self.labels is None:
            return (batch,)
        if self.devices == 1:
            return batch, self.labels[rows]
        # Keras divides a loss by all rows, so the others weigh for those that are none.
        each = (self.rows + -self.rows % self.devices) / self.rows
        weights = np.full(last - first + filling, each, "float32")
        weights[last - first :] = 0
        labels = self.labels[rows]
        if labels.ndim == 3:  # one for each pixel of a mask
            weights = np.broadcast_to(weights[:, None, None], labels.shape)
        own = own_part(len(labels))
        batch = {name: x[own] for name, x in batch.items()}
        return batch, labels[own], weights[own]


class Batches(keras.utils.PyDataset):
    """Shuffled batches of equal size for `model.fit`.

    What is left over in an epoch is left out, another part each time: one shape is
    one compilation. Files are read one batch ahead, while the model trains.

    Args:
        split: Arrays to draw from.
        model: Says which of the inputs are wanted.
        batch_size: Rows a batch; all rows where there are fewer.
        class_weights: `(K,)`, what a label of each class counts; None counts all alike.
        classes: `(B,)` labels that they go by, where those of the split are no classes.
        parts: In how many parts a batch comes, one after the other.
        seed: Of the order, with the epoch: a run that is resumed sees what it would
            have seen. It is for the caller to set `epoch` as each begins (Keras' own
            count is off by what it peeks), and `fit` must not shuffle.
    """

    def __init__(
        self,
        split: Split,
        model: keras.Model,
        batch_size: int,
        seed: int,
        class_weights: np.ndarray | None = None,
        classes: np.ndarray | None = None,
        parts: int = 1,
    ):
        super().__init__()
        self.inputs = model_inputs(model, split.inputs, split.modality_mask)
        self.labels = split.labels
        self.batch_size = min(batch_size, len(split.labels))
        self.batch_size -= self.batch_size % (replicas() * parts)
        self.parts, self.part = parts, self.batch_size // parts
        self.seed = seed
        self.class_weights = class_weights
        self.classes = split.labels if classes is None else classes
        self.epoch = 0
        self.ahead = Ahead(self._batch) if reads_files(self.inputs) else None

    def __len__(self):
        return len(self.labels) // self.batch_size * self.parts

    def __getitem__(self, index):
        if self.ahead is None:
            return self._batch(self.epoch, index)
        last = index + 1 == len(self)
        then = (self.epoch + 1, 0) if last else (self.epoch, index + 1)
        return self.ahead((self.epoch, index), then)

    def _batch(self, epoch, index):
        order = _order(len(self.labels), self.seed, epoch)
        rows = order[index * self.part :][: self.part][own_part(self.part)]
        inputs = {name: x[rows] for name, x in self.inputs.items()}
        labels = self.labels[rows]
        if self.class_weights is None:
            return inputs, labels
        return inputs, labels, self.class_weights[self.classes[rows]]


@functools.lru_cache(maxsize=1)
def _order(rows, seed, epoch):
    return np.random.default_rng([seed, epoch]).permutation(rows)
