import numpy as np
import pytest

from keras_fusion.tuning import selection

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")
TARGET = np.array([1.0, 2.0, 3.0, 4.0])


def score(outputs):
    return -float(np.mean(np.square(outputs - TARGET)))


def test_errors_that_cancel_are_chosen_together_and_no_help_is_left_out():
    error = np.array([1.0, -1.0, 1.0, -1.0])
    outputs = {"bad": 0 * TARGET, "one": TARGET + error, "other": TARGET - error}
    found = selection.chosen(outputs, score)
    assert found["weights"] == {"one": 1, "other": 1}
    assert found["scores"] == [-1.0, 0.0]


def test_it_never_becomes_worse_and_weights_are_how_often():
    rng = np.random.default_rng(0)
    outputs = {f"{i}": TARGET + rng.normal(size=4) for i in range(8)}
    found = selection.chosen(outputs, score)
    assert found["scores"] == sorted(found["scores"])
    assert found["scores"][0] == max(map(score, outputs.values()))
    weights = found["weights"]
    mean = sum(n * outputs[k] for k, n in weights.items()) / sum(weights.values())
    assert score(mean) == pytest.approx(found["scores"][-1])


def test_members_are_chosen_by_one_measure_and_told_by_another():
    outputs = {"good": TARGET + 1, "near": TARGET - 0.5, "far": TARGET + 9}
    found = selection.chosen(outputs, lambda x: float(x[0]), score)
    assert list(found["weights"]) == ["near", "good"]
    assert found["weights"] == {"near": 2, "good": 1}
    assert found["scores"] == pytest.approx([0.5, 1.25, 1.0])
