import types

import numpy as np
import pytest

from keras_fusion.calibration import adaptive_sets, adaptive_threshold
from keras_fusion.experiments import single_run, training
from keras_fusion.experiments.comparison import trained
from keras_fusion.experiments.confidence import (
    COVERAGES,
    judged_confidence,
    reliability,
    risks,
)
from keras_fusion.experiments.evaluation import full_outputs
from keras_fusion.experiments.prediction import predict
from keras_fusion.experiments.reports.confidence import draw_reliability, draw_risk
from keras_fusion.experiments.results import Confidence, Reliability
from keras_fusion.experiments.saving import save_deployable
from tests.conftest import assert_close
from tests.experiments import runs


def test_a_run_is_calibrated_and_its_model_predicts_sets(tmp_path, monkeypatch):
    monkeypatch.setattr(single_run, "fast_settings", lambda steps: {})
    recipe, data = runs.load(
        runs.write(tmp_path), calibrate=True, coverage=0.8, uncertainty="confidence"
    )
    plain, _ = runs.load(tmp_path / "tiny.toml")
    record = training.fit(recipe, data, 0, tmp_path / "sure")
    before = training.fit(plain, data, 0, tmp_path / "plain")
    assert before.temperature is before.set_threshold is None

    labels, found = data.validation.labels, {}
    for how, name in (recipe, "sure"), (plain, "plain"):
        model = trained(how, data, tmp_path / name)
        found[name] = full_outputs(model, data.validation)
    powers = found["plain"] ** (1 / record.temperature)
    assert_close(found["sure"], powers / powers.sum(axis=1, keepdims=True))
    assert _loss(labels, found["sure"]) < _loss(labels, found["plain"])

    rank = int(np.ceil((len(labels) + 1) * 0.8))
    own = np.sort(found["sure"][np.arange(len(labels)), labels])[::-1]
    assert record.set_threshold == pytest.approx(own[rank - 1])

    path = save_deployable(recipe, data, tmp_path / "sure")
    outputs = predict(path, data.samples)
    sets = outputs["probabilities"] >= record.set_threshold
    assert_close(outputs["prediction_set"], sets.astype("float32"))
    assert 0 < sets.mean() < 1
    share = outputs["probabilities"].max(axis=1)
    classes = len(data.class_names)
    assert_close(outputs["uncertainty"], (1 - share) * classes / (classes - 1))

    model = trained(recipe, data, tmp_path / "sure")
    judged = judged_confidence(model, data, data.test, record)
    of_test, adaptive = judged["sets"], judged["adaptive_sets"]
    sets = full_outputs(model, data.test) >= record.set_threshold
    labels = data.test.labels
    assert of_test["coverage"] == sets[np.arange(len(labels)), labels].mean()
    assert of_test["size"] == sets.sum(axis=1).mean()
    valid = full_outputs(model, data.validation)
    threshold = adaptive_threshold(data.validation.labels, valid, 0.8)
    assert record.adaptive_threshold == pytest.approx(threshold, rel=1e-5)
    sets = adaptive_sets(full_outputs(model, data.test), record.adaptive_threshold)
    assert adaptive["coverage"] == sets[np.arange(len(labels)), labels].mean()
    assert adaptive["size"] == sets.sum(axis=1).mean()


def _loss(labels, probabilities):
    return -np.log(probabilities[np.arange(len(labels)), labels]).mean()


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_numbers_have_no_sets(tmp_path):
    target = runs.arrays()["b"].sum(axis=1)
    path = runs.write(tmp_path, y=np.nan_to_num(target) + 0.5)
    recipe, data = runs.load(path, coverage=0.9, epochs=1)
    with pytest.raises(ValueError, match="one class each"):
        training.fit(recipe, data, 0, tmp_path / "run")


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_a_coverage_is_a_share(tmp_path):
    with pytest.raises(ValueError, match="coverage must be a number between 0 and 1"):
        runs.load(runs.write(tmp_path), coverage=90.0)
    text = runs.RECIPE + "patience = 0\ncalibrate = true\n"
    text += "\n[split]\ntrain_on_validation = true\n"
    with pytest.raises(ValueError, match="rows that did not train"):
        runs.load(runs.write(tmp_path, text))


def test_reliability_on_paper():
    probabilities = np.array([[0.95, 0.05], [0.08, 0.92], [0.35, 0.65], [0.5, 0.5]])
    found = reliability(
        np.array([0, 0, 1, 0]), probabilities, probabilities.argmax(axis=1)
    )
    assert found["rows"] == [0, 0, 0, 0, 0, 1, 1, 0, 0, 2]
    assert found["right"] == [0, 0, 0, 0, 0, 1, 1, 0, 0, 1]
    assert found["confidence"][9] == pytest.approx(0.95 + 0.92)
    certain = reliability(np.array([1]), np.array([[0.0, 1.0]]), np.array([1]))
    assert certain["rows"][9] == 1


def test_risks_on_paper():
    """20 rows, ever less sure; the last five are wrong."""
    sure = np.linspace(0.99, 0.6, 20)
    labels = np.array([0] * 15 + [1] * 5)
    named = np.zeros(20, int)
    found = risks(labels, np.stack([sure, 1 - sure], axis=1), named)
    expected = [max(0, k - 15) / k for k in range(1, 21)]
    assert found == pytest.approx(expected) and len(COVERAGES) == 20


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_what_is_drawn_is_of_the_rows_of_all_seeds():
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    reliability = Reliability(
        rows=[[0, 2], [1, 2]],
        confidence=[[0, 1.8], [0.3, 1.4]],
        right=[[0, 1], [0, 2]],
    )
    risk = [np.linspace(0, 0.2, 20).tolist(), np.linspace(0, 0.4, 20).tolist()]
    found = Confidence(reliability=reliability, risk=risk)
    results = types.SimpleNamespace(confidence=found)
    left, right = Figure().subplots(1, 2)
    draw_reliability(left, results)
    dots = left.collections[0].get_offsets()
    np.testing.assert_allclose(dots, [[0.3, 0.0], [3.2 / 4, 3 / 4]])
    draw_risk(right, results)
    x, y = right.lines[0].get_data()
    assert x[-1] == pytest.approx(100) and y[-1] == pytest.approx(30)
