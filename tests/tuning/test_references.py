import dataclasses

import numpy as np
import pytest

from keras_fusion import datasets
from keras_fusion.experiments import classical
from keras_fusion.experiments.tasks import task_of
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
    assert 0.98 < found["linear model"]["score"] <= 1  # R^2, whatever the unit
    assert found["gradient boosting"]["score"] < found["linear model"]["score"]


def test_boosting_stops_by_validation_and_by_the_clock(tmp_path):
    data = load(tmp_path)
    scores = {}
    for seconds in (0, 5):
        model = classical.to_fit(data, 0, seconds)[classical.BOOSTING]()
        outputs = model(data.validation)
        scores[seconds] = task_of(data).score(data.validation.labels, outputs)
        found = references.judge(data, seconds)[classical.BOOSTING]["score"]
        assert found == scores[seconds]
    assert scores[5] >= scores[0]


def test_they_are_those_of_evaluate(tmp_path):
    data = load(tmp_path)
    model = classical.fitted(data, 0)[classical.LINEAR]
    expected = task_of(data).score(data.validation.labels, model(data.validation))
    assert references.judge(data, 0)[classical.LINEAR]["score"] == expected


def test_what_evaluate_refuses_is_refused(tmp_path):
    data = load(tmp_path)
    part = datasets.Split({"a": np.zeros((10, 64, 65))}, data.train.labels[:10])
    assert references.judge(dataclasses.replace(data, train=part), 1) == {}
