import numpy as np
import pytest

from keras_fusion.experiments import measures

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


@pytest.mark.parametrize("classes", [2, 4])
def test_they_are_those_of_scikit_learn(classes):
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(classes)
    labels = rng.integers(classes, size=60)
    scores = rng.random((60, classes)).round(1) + 0.05  # many are equal
    shares = scores / scores.sum(axis=1, keepdims=True)
    shares = shares.astype("float64")
    found, own = shares.argmax(axis=1), np.eye(classes)[labels]
    against = shares if classes > 2 else shares[:, 1]
    truth = own if classes > 2 else labels
    expected = {
        "balanced accuracy": metrics.balanced_accuracy_score(labels, found),
        "macro F1": metrics.f1_score(labels, found, average="macro"),
        "AUC": metrics.roc_auc_score(truth, against),
        "average precision": metrics.average_precision_score(truth, against),
        "log loss": metrics.log_loss(labels, shares),
        "largest class": np.bincount(labels).max() / 60,
    }
    given = measures.classification(labels, shares)
    assert {k: given[k] for k in expected} == pytest.approx(expected)


def test_the_calibration_error_is_the_distance_of_confidence_and_accuracy():
    right = np.array([True, True, False, False])
    confidence = np.array([0.95, 0.95, 0.55, 0.55])
    # half of the rows are off by .05, the other half by .55
    assert measures.calibration_error(right, confidence) == pytest.approx(0.3)


def test_classes_without_a_row_are_left_out():
    labels = np.array([0, 0, 1])
    shares = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])
    given = measures.classification(labels, shares)
    assert given["balanced accuracy"] == given["AUC"] == given["macro F1"] == 1


def test_regression():
    outputs = np.array([[1.0], [5.0]])
    given = measures.regression(np.array([1.0, 2.0]), outputs)
    assert given == {"MAE": 1.5, "RMSE": pytest.approx(np.sqrt(4.5))}
