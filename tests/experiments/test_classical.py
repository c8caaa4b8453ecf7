import dataclasses

import numpy as np
import pytest

from keras_fusion import datasets
from keras_fusion.experiments import classical, evaluation
from keras_fusion.experiments.tasks import task_of
from tests.experiments import runs

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    pytest.importorskip("sklearn")
    return runs.load(runs.write(tmp_path_factory.mktemp("data")))[1]


def test_they_answer_as_a_network_does(data):
    models = classical.fitted(data, 0)
    assert list(models) == [classical.BOOSTING, classical.LINEAR]
    for model in models.values():
        found = evaluation.missing_scores(model, data.test, task_of(data).score)
        assert found["all"] > 0.7 and set(found["missing"]) == {"a", "b"}
        outputs = evaluation.full_outputs(model, data.test)
        np.testing.assert_allclose(outputs.sum(axis=1), 1, rtol=1e-5)


def test_what_is_absent_counts_nothing(data):
    mask = data.test.modality_mask & [True, False]
    other = {n: x + (n == "b") for n, x in data.test.inputs.items()}
    for model in classical.fitted(data, 0).values():
        first = model(dataclasses.replace(data.test, modality_mask=mask))
        second = model(dataclasses.replace(data.test, inputs=other, modality_mask=mask))
        np.testing.assert_array_equal(first, second)


def test_a_target_is_predicted_in_its_own_units(tmp_path):
    pytest.importorskip("sklearn")
    target = 1000 + 42 * np.nan_to_num(runs.arrays()["b"]).sum(axis=1) + 0.5
    _, data = runs.load(runs.write(tmp_path, y=target))
    for model in classical.fitted(data, 0).values():
        assert task_of(data).score(data.test.labels, model(data.test)) > 0.3


def test_pictures_are_left_to_networks(data):
    part = datasets.Split({"a": np.zeros((10, 64, 65))}, data.train.labels[:10])
    pictures = dataclasses.replace(data, train=part)
    assert classical.fitted(pictures, 0) == {}
    assert "4,160 features, more than 4,096" in classical.refusal(pictures)
    assert classical.refusal(data) is None
