"""Heads of classes in an order, against CORN and CORAL as their authors wrote them."""

import keras
import numpy as np
from keras import ops

from keras_fusion.common.gradients import with_gradients
from keras_fusion.layers import ContinuationRatio, CumulativeLink
from tests.conftest import to_numpy
from tests.recorded.recording import affine, assert_recorded, assign_affine, read

CLASSES = 4
DATA = read("coral_pytorch")
X, LABELS = DATA["x"].astype("float32"), DATA["labels"]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def continuation_ratio():
    head = ContinuationRatio(CLASSES)
    head.build(X.shape)
    weights = {"head.weight": DATA["corn/weight"], "head.bias": DATA["corn/bias"]}
    assign_affine(head.going_on, affine(weights, "head"))
    return head


def test_the_cross_entropy_is_the_loss_of_corn():
    """But for its mean, which is over binary tasks: a row has up to K - 1 of them."""
    head = continuation_ratio()
    loss = keras.losses.SparseCategoricalCrossentropy(reduction="sum")
    tasks = np.minimum(LABELS + 1, CLASSES - 1).sum()

    def run(arrays):
        found = loss(LABELS, head(arrays[0])) / tasks
        return found, found

    found, (slopes,) = with_gradients(run)([X])
    assert_recorded(found, DATA["corn/loss"])
    assert_recorded(slopes, DATA["corn/gradient"])


def test_corn_names_the_median_class():
    above = 1 - np.cumsum(to_numpy(continuation_ratio()(X)), axis=1)[:, :-1]
    np.testing.assert_array_equal((above > 0.5).sum(axis=1), DATA["corn/labels"])


def test_the_head_of_coral():
    """`P(y > k)` is a sigmoid of its logits, whose biases are minus our thresholds."""
    head = CumulativeLink(CLASSES)
    head.build(X.shape)
    head.score.kernel.assign(DATA["coral/coral_weights.weight"].T)
    thresholds = -DATA["coral/coral_bias"]
    steps = np.log(np.expm1(np.diff(thresholds)))
    head.steps.assign(np.append(thresholds[:1], steps))
    above = np.cumsum(to_numpy(head(X))[:, :0:-1], axis=1)[:, ::-1]
    assert_recorded(above, sigmoid(DATA["coral/logits"]))

    def run(arrays):
        above = ops.flip(ops.cumsum(ops.flip(head(arrays[0])[:, 1:], 1), 1), 1)
        levels = LABELS[:, None] > np.arange(CLASSES - 1)
        found = -ops.sum(ops.log(ops.where(levels, above, 1 - above))) / len(X)
        return found, found

    found, (slopes,) = with_gradients(run)([X])
    assert_recorded(found, DATA["coral/loss"])
    assert_recorded(slopes, DATA["coral/gradient"])
