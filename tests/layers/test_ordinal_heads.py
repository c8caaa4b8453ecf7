"""Heads of classes in an order: against their formulas, and what orders mean."""

import keras
import numpy as np
import pytest

from keras_fusion.layers import ContinuationRatio, CumulativeLink
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import draw

X = draw(6, 5)


def sigmoid(x):
    return 1 / (1 + np.exp(-np.float64(x)))


def as_float64(layer):
    return [to_numpy(w).astype("float64") for w in layer.weights]


def built(layer, scale=1.0):
    layer.build((None, X.shape[-1]))
    rng = np.random.default_rng(0)
    for weight in layer.weights:
        weight.assign(rng.normal(0, scale, weight.shape))
    return layer


def cumulative_link(kernel, steps, x):
    """Probabilities of each class by differences of P(y <= k), in float64."""
    thresholds = [steps[0]]
    for step in steps[1:]:
        thresholds.append(thresholds[-1] + np.log1p(np.exp(step)))
    below = sigmoid(np.array(thresholds) - x.astype("float64") @ kernel)  # (B, K - 1)
    ends = np.zeros((len(x), 1)), np.ones((len(x), 1))
    return np.diff(np.concatenate([ends[0], below, ends[1]], axis=1))


def continuation_ratio(kernel, bias, x):
    """Probabilities of each class, one step after the other, in float64."""
    on = sigmoid(x.astype("float64") @ kernel + bias)
    found, left = [], np.ones(len(x))
    for step in on.T:
        found.append(left * (1 - step))
        left = left * step
    return np.stack([*found, left], axis=1)


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize(
    ("head", "formula"),
    [(CumulativeLink, cumulative_link), (ContinuationRatio, continuation_ratio)],
)
def test_numbers(head, formula, classes):
    layer = built(head(classes))
    weights = as_float64(layer)
    if head is CumulativeLink:
        weights = sorted(weights, key=np.ndim, reverse=True)  # the kernel first
    assert_close(layer(X), formula(*weights, X).astype("float32"))
    again = head.from_config(layer.get_config())
    assert again.classes == classes and again.compute_output_shape((6, 5)) == (
        6,
        classes,
    )


def test_a_higher_score_moves_all_classes_up():
    """P(y <= k) falls with the score for every k, whatever the weights are."""
    layer = built(CumulativeLink(6), scale=3.0)
    kernel = next(w for w in as_float64(layer) if w.ndim == 2)
    more = np.float32(X + kernel[:, 0] / np.square(kernel).sum())  # a score 1 higher
    below, then = (np.cumsum(to_numpy(layer(x)), axis=1)[:, :-1] for x in (X, more))
    assert (then <= below + 1e-6).all() and (then < below - 1e-4).any()


def test_far_out_probabilities_are_no_differences():
    """In float32 the difference of two sigmoids would be 0 here."""
    layer = CumulativeLink(3)
    layer.build((None, 1))
    layer.score.kernel.assign([[1.0]])
    layer.steps.assign([0.0, 0.0])  # thresholds 0 and log 2
    found = to_numpy(layer(np.array([[-30.0]], "float32")))[0, 1]
    assert found == pytest.approx(np.exp(-30.0) / 2, rel=1e-4, abs=0)


def test_what_does_not_fit_is_named():
    for head in (CumulativeLink, ContinuationRatio):
        with pytest.raises(ValueError, match="classes to be 2 or more; received 1"):
            head(1)
        with pytest.raises(ValueError, match="positive integer; received 2.5"):
            head(2.5)


@pytest.mark.only_on("torch", reason="the gradient is the same formula everywhere")
def test_the_cross_entropy_of_going_on_is_that_of_the_conditional_tasks():
    """The loss of CORN: one binary task for each step, over the rows that reach it."""
    layer = built(ContinuationRatio(4))
    kernel, bias = as_float64(layer)
    labels = np.array([0, 1, 2, 3, 3, 1])
    on = sigmoid(X.astype("float64") @ kernel + bias)
    expected = 0.0
    for k in range(3):
        rows = labels >= k
        p = np.where(labels[rows] > k, on[rows, k], 1 - on[rows, k])
        expected -= np.log(p).sum()
    loss = keras.losses.SparseCategoricalCrossentropy(reduction="sum")
    assert float(to_numpy(loss(labels, layer(X)))) == pytest.approx(expected, rel=1e-5)
