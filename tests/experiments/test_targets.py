import dataclasses

import numpy as np
import pytest

from keras_fusion import zoo
from keras_fusion.experiments import targets, training, variants
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
    monkeypatch.setattr(training, "fast_settings", lambda steps: {})
    recipe, data = loaded
    record = training.fit(recipe, data, 0, tmp_path / "run")
    assert record["metric"] == "R^2" and record["validation"] > 0.5
    outputs = full_outputs(trained(recipe, data, tmp_path / "run"), data.validation)
    found = task_of(data).score(data.validation.labels, outputs)
    assert found == pytest.approx(record["validation"], abs=1e-4)


def test_classes_stay_as_they_are(tmp_path):
    _, data = runs.load(runs.write(tmp_path))
    assert targets.standardized(data, data.train) is data.train
    model = zoo.FusionClassifier(data.input_shapes, data.classes, units=4)
    before = model.get_weights()
    targets.restore(model, data)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
