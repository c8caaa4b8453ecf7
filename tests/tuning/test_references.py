import numpy as np
import pytest

from keras_fusion import datasets
from keras_fusion.tuning import references
from tests.experiments import runs

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


def load(folder, **changed):
    runs.write(folder, **changed)
    return datasets.load(f"npz:{folder / 'data.npz'}")


def test_classes_are_found_by_both_although_values_are_missing(tmp_path):
    found = references.judge(load(tmp_path), seconds=5)
    assert {*found} == {"linear model", "gradient boosting"}
    assert all(entry["score"] > 0.5 for entry in found.values())


def test_a_number_is_judged_as_the_trials_are(tmp_path):
    a = np.random.default_rng(0).normal(size=(100, 5)).astype("float32")
    data = load(tmp_path, a=a, y=100 * (a @ np.ones(5)) + 0.5)
    found = references.judge(data, seconds=0)
    assert 0.99 < found["linear model"]["score"] <= 1  # R^2, whatever the unit
    assert found["gradient boosting"]["score"] < found["linear model"]["score"]
