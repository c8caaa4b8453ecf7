import numpy as np
import pytest

from keras_fusion.experiments.scores import (
    accuracy,
    foreground_iou,
    mean_iou,
    r_squared,
    saliency_measures,
)


def test_accuracy():
    outputs = np.array([[0.6, 0.4], [0.1, 0.9], [0.3, 0.7], [0.8, 0.2]])
    assert accuracy(np.array([0, 1, 0, 0]), outputs) == 0.75


def test_r_squared():
    labels = np.array([1.0, 2.0, 3.0])
    assert r_squared(labels, labels[:, None]) == 1
    assert r_squared(labels, np.full((3, 1), 2.0)) == 0
    # residuals 0, 1, 0 against deviations 1, 0, 1
    assert r_squared(labels, np.array([[1.0], [3.0], [3.0]])) == 0.5


def test_foreground_iou_counts_all_pixels_together():
    masks = np.array([[[1, 1, 1, 0]], [[0, 0, 0, 1]]])
    logits = np.array([[[2.0, 1.0, -1.0, 3.0]], [[-1.0, -2.0, -1.0, 5.0]]])
    # together 3 of 5; the mean over images would be (2/4 + 1) / 2
    assert foreground_iou(masks, logits[..., None]) == 3 / 5
    assert foreground_iou(masks, -np.ones((2, 1, 4, 1))) == 0


def test_mean_iou_of_the_classes_that_occur():
    masks = np.array([[[0, 0, 1, 1]]])
    outputs = np.eye(4)[np.array([[[0, 1, 1, 1]]])]
    # class 0: 1 of 2, class 1: 2 of 3; classes 2 and 3 are nowhere
    assert mean_iou(masks, outputs) == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_saliency_measures():
    pytest.importorskip("py_sod_metrics")
    masks = np.zeros((2, 8, 8), int)
    masks[:, 2:6, 3:7] = 1
    right = np.where(masks, 50.0, -50.0)[..., None]
    found = saliency_measures(masks, right)
    assert list(found) == ["MAE", "max F", "max E", "S"]
    assert found["MAE"] == 0
    assert min(found[m] for m in ("max F", "max E", "S")) > 0.99
    half = np.where(np.arange(8) < 5, right[..., 0], -50.0)[..., None]  # two columns
    worse = saliency_measures(masks, half)
    assert worse["MAE"] == 8 / 64
    # precision 1, recall 1/2, weighted by 0.3
    assert worse["max F"] == pytest.approx(1.3 * 0.5 / (0.3 + 0.5), abs=1e-6)
    assert all(worse[m] < found[m] for m in ("max E", "S"))
