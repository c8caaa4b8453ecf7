from typing import NamedTuple

import keras
import numpy as np

from keras_fusion.common.batching import prediction_batch
from keras_fusion.common.names import MASK
from keras_fusion.zoo.parts.linear_kinds import kind_of
from keras_fusion.zoo.parts.linear_matrix import matrix
from keras_fusion.zoo.parts.linear_path import parts_of


class Shares(NamedTuple):
    """How much of a blend is the network: its weight over the sum of both.

    Attributes:
        whole: For samples that have all modalities.
        gaps: For samples that lack some.
    """

    whole: float
    gaps: float


def blend_linear(model: keras.Model, inputs, targets, unseen, wanted) -> Shares | None:
    """Blends a trained model with a linear model of its inputs.

    On few rows, and where all is linear, a linear model predicts better than a network;
    elsewhere the network does; most often the best is in between. The model gives a
    `layers.Blend` of both from here on, as one network still.

    - Numbers: a ridge regression, whose penalty is that of the least leave-one-out
      error. The weights of both sum to 1 and are those of the least squared error on
      unseen rows.
    - Classes: a multinomial logistic regression, and one for each of several labels at
      once, whose penalty is that of the most likely folds of the rows that train. The
      weights are those under which unseen rows are most likely, each with a normal
      prior around a half, whose deviation is 1. With a `modality_mask`
      there are others for samples that lack a modality, from the unseen rows without
      each of theirs in turn.

    Args:
        model: Of `FusionClassifier` with a `linear_path`, after `fit`.
        inputs: Of rows that train, as `model.predict` takes them: arrays by name, or a
            `PyDataset`. Some thousand rows are enough.
        targets: Their labels, as the model trains on them: `(B,)` class numbers,
            `(B, K)` shares of classes, which sum to 1 or to what the row counts, or
            labels of 0 and 1, numbers `(B,)` or `(B, 1)`.
        unseen, wanted: The same of rows that do not train.

    Returns:
        The shares of the network, or None where the model has no linear path and stays
        as it is.

    Example:

    >>> from keras_fusion.zoo import FusionClassifier
    >>> x = {"x": np.random.default_rng(0).normal(size=(40, 3))}
    >>> y = x["x"][:, 0] + 5
    >>> model = FusionClassifier({"x": 3}, classes=1, classifier_activation=None)
    >>> shares = blend_linear(model, x, y, x, y)
    >>> bool(np.abs(model.predict(x, verbose=0)[:, 0] - y).max() < 0.1)
    True

    References: Hoerl and Kennard, 1970, Ridge Regression: Biased Estimation for
    Nonorthogonal Problems. Breiman, 1996, Stacked Regressions.
    """
    path, blend = parts_of(model)
    if path is None:
        return None
    kind = kind_of(path.activation)
    targets, wanted = (_matrix(kind, path, y) for y in (targets, wanted))
    features = keras.Model(model.input, keras.tree.flatten(path.input))
    found = keras.tree.flatten(_predicted(features, inputs, len(targets)))
    path.set_weights(kind.fit(matrix(model, path, found), targets))
    pairs = _weights(_both(model, blend), unseen, wanted, kind)
    blend.set_weights([np.array(pairs)])
    return Shares(*(round(float(a / max(a + b, 1e-9)), 4) for a, b in pairs))


def _both(model, blend):
    """The model with both predictions as outputs, and what is there beside them."""
    network, linear = blend.input[:2]  # and the mask, where there is one
    there = keras.ops.ones_like(linear[:, :1])
    if MASK in model.input:
        there = keras.ops.cast(model.input[MASK], "float32")
    return keras.Model(model.input, [network, linear, there])


def _weights(both, unseen, wanted, kind):
    """Those of rows that have all modalities, and of rows that lack some."""
    parts = [unseen]
    if kind.apart and MASK in both.input and len(both.input) > 2:
        parts += [_without(unseen, m) for m in range(len(both.input) - 1)]
    found = [_predicted(both, part, len(wanted)) for part in parts]
    network, linear, mask = (np.concatenate(x) for x in zip(*found))
    return kind.weights(network, linear, np.tile(wanted, (len(parts), 1)), mask > 0)


def _without(inputs, column):
    """The rows with one modality gone."""
    if isinstance(inputs, keras.utils.PyDataset):
        return _Without(inputs, column)
    mask = np.array(inputs[MASK])
    mask[:, column] = 0
    return inputs | {MASK: mask}


class _Without(keras.utils.PyDataset):
    """The batches of another one with one modality gone."""

    def __init__(self, batches, column):
        super().__init__()
        self.batches = batches
        self.column = column

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        inputs, *_ = self.batches[index]
        return (_without(inputs, self.column),)


def _predicted(model, inputs, count):
    """The outputs as `(B, ...)` float64; what fills up a last batch is left out."""
    batch = prediction_batch(inputs) if isinstance(inputs, dict) else None
    found = model.predict(inputs, batch_size=batch, verbose=0)
    return keras.tree.map_structure(lambda x: x[:count].astype(np.float64), found)


def _matrix(kind, path, labels):
    """Labels as `(B, K)` float64, classes as zeros and a one."""
    labels = np.asarray(labels)
    if kind.one_hot and labels.ndim == 1:
        return np.eye(path.units)[labels.astype(int)]
    return labels.astype(np.float64).reshape(len(labels), -1)
