"""The linear model that a trained model is blended with, in a run and its files."""

import numpy as np
import pytest

from keras_fusion import zoo
from keras_fusion.experiments import comparison, prediction, record, saving, training
from keras_fusion.experiments.evaluation import full_outputs
from keras_fusion.experiments.tasks import task_of
from tests.experiments import runs

ASKED = runs.RECIPE.replace("units = 4", "units = 4\nlinear_path = true")


def of_task(task):
    """Labels: classes, or numbers."""
    given = runs.arrays()
    if task == "classification":
        return {"y": given["y"]}
    numbers = np.nan_to_num(given["a"]) @ np.arange(5) + 100
    return {"y": numbers + np.random.default_rng(0).normal(size=100)}


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_model_of_a_run_is_the_blend_and_its_score_the_blend_s(task, tmp_path):
    path = runs.write(tmp_path, ASKED, **of_task(task))
    recipe, data = runs.load(path)
    done = training.fit(recipe, data, 0, tmp_path / "run")
    assert record.read(tmp_path / "run").network_share == done.network_share
    assert all(0 <= share < 1 for share in done.network_share)
    model = comparison.trained(recipe, data, tmp_path / "run")
    outputs = full_outputs(model, data.validation)
    score = task_of(data).score(data.validation.labels, outputs)
    assert done.validation == pytest.approx(score, abs=1e-5)
    assert score > (0.9 if task == "regression" else 0.5)  # of numbers around 100, too
    file = saving.save_deployable(recipe, data, tmp_path / "run")
    raw = {name: np.asarray(x) for name, x in data.samples.items()}
    answers = prediction.predict(file, raw)
    assert np.isfinite(next(iter(answers.values()))).all()


def test_nothing_is_blended_with_what_was_trained_on_validation(tmp_path):
    settings = "patience = 0\n\n[split]\ntrain_on_validation = true\n"
    path = runs.write(tmp_path, ASKED + settings)
    recipe, data = runs.load(path)
    done = training.fit(recipe, data, 0, tmp_path / "run")
    assert done.network_share is None


def test_a_class_that_counts_more_does_so_in_the_linear_model(tmp_path, monkeypatch):
    given = []

    def seen(model, inputs, labels, unseen, wanted):
        given.extend([labels, wanted])

    monkeypatch.setattr(zoo, "blend_linear", seen)
    path = runs.write(tmp_path, ASKED + "class_weight = {{red = 3}}\n")
    recipe, data = runs.load(path)
    training.fit(recipe, data, 0, tmp_path / "run")
    red = data.class_names.index("red")
    for labels, part in zip(given, (data.train, data.validation), strict=True):
        np.testing.assert_array_equal(labels.argmax(axis=1), part.labels)
        counts = np.where(part.labels == red, 3, 1)
        np.testing.assert_array_equal(labels.sum(axis=1), counts)
