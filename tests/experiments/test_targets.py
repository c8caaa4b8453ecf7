import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from keras_fusion import zoo
from keras_fusion.common.errors import InputError
from keras_fusion.datasets import Split
from keras_fusion.experiments import single_run, targets, tasks, training, variants
from keras_fusion.experiments.comparison import trained
from keras_fusion.experiments.evaluation import full_outputs
from keras_fusion.experiments.tasks import task_of
from tests.experiments import runs

TARGET = 1000, 42


@pytest.fixture
def loaded(tmp_path):
    x = runs.arrays()["b"]
    target = TARGET[0] + TARGET[1] * np.nan_to_num(x).sum(axis=1) + 0.5
    return runs.load(runs.write(tmp_path, y=target), epochs=30)


@pytest.mark.parametrize("heads", [None, "average"])
@pytest.mark.parametrize("builder", ["FusionClassifier", "LateFusionClassifier"])
def test_the_head_gives_the_targets_own_units(loaded, builder, heads):
    recipe, data = loaded
    arguments = {"units": 4, "heads": heads}
    recipe = dataclasses.replace(recipe, builder=builder, arguments=arguments)
    model = variants.build(recipe, data, modality_mask=True)
    before = full_outputs(model, data.test)
    targets.restore(model, data)
    mean, std = data.target
    there = data.test.modality_mask.any(axis=1)
    expected = before * std + mean
    np.testing.assert_allclose(
        full_outputs(model, data.test)[there], expected[there], rtol=1e-5
    )


def test_a_target_far_from_zero_is_learned(loaded, tmp_path, monkeypatch):
    """Unscaled, 200 steps of a rate of 0.03 would not come near to 1000."""
    monkeypatch.setattr(single_run, "fast_settings", lambda steps: {})
    recipe, data = loaded
    record = training.fit(recipe, data, 0, tmp_path / "run")
    assert record.metric == "R^2" and record.validation > 0.5
    outputs = full_outputs(trained(recipe, data, tmp_path / "run"), data.validation)
    found = task_of(data).score(data.validation.labels, outputs)
    assert found == pytest.approx(record.validation, abs=1e-4)


def test_classes_stay_as_they_are(tmp_path):
    _, data = runs.load(runs.write(tmp_path))
    assert targets.standardized(data, data.train) is data.train
    model = zoo.FusionClassifier(data.input_shapes, data.classes, units=4)
    before = model.get_weights()
    targets.restore(model, data)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_taught_labels_are_half_their_own_and_half_the_teachers():
    rows = [Split({"a": np.zeros((3, 1))}, np.array(y)) for y in ([0, 2, 1], [2, 2, 0])]
    teacher = np.array([[0.2, 0.8, 0.0], [0.5, 0.0, 0.5], [0.0, 1.0, 0.0]])
    classes = SimpleNamespace(target=None, classes=3)
    train, validation = targets.taught(classes, *rows, teacher)
    expected = [[0.6, 0.4, 0.0], [0.25, 0.0, 0.75], [0.0, 1.0, 0.0]]
    np.testing.assert_allclose(train.labels, expected, atol=1e-6)
    np.testing.assert_array_equal(validation.labels.argmax(axis=-1), [2, 2, 0])
    numbers = SimpleNamespace(target=(10.0, 2.0), classes=1)
    rows = [dataclasses.replace(x, labels=np.zeros((3, 1), "float32")) for x in rows]
    train, validation = targets.taught(numbers, *rows, np.array([[12.0], [10], [8]]))
    np.testing.assert_allclose(train.labels, [[0.5], [0.0], [-0.5]])
    assert not validation.labels.any()


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_pixels_are_not_taught():
    task = tasks.task_for(3, classes=4)
    with pytest.raises(InputError, match="pixels learn from no other"):
        tasks.taught(task)
