"""From classes in an order to a model that knows the order."""

import numpy as np
import pytest

from keras_fusion.experiments import (
    classical,
    comparison,
    confidence,
    contributions,
    evaluation,
    measures,
    prediction,
    predictions,
    saving,
    scores,
    training,
)
from keras_fusion.experiments.reports import prediction_tables
from keras_fusion.experiments.tasks import task_for, task_of
from keras_fusion.layers import CumulativeLink
from tests.experiments import runs

ORDER = 'order = ["red", "green", "blue"]\n[arguments]'


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    text = runs.RECIPE.replace("[arguments]", ORDER)
    recipe, data = runs.load(runs.write(folder, text), epochs=2)
    record = training.fit(recipe, data, 0, folder / "run")
    saving.save_deployable(recipe, data, folder / "run")
    return recipe, data, record, folder / "run"


def test_validation_watches_kappa(run):
    recipe, data, record, folder = run
    assert data.class_names == ("red", "green", "blue") and data.task == "ordinal"
    assert record.metric == "quadratic weighted kappa"
    assert record.identity["task"] == "ordinal"
    model = comparison.trained(recipe, data, folder)
    assert isinstance(model.layers[-1], CumulativeLink)
    part = data.validation
    outputs = model.predict(part.inputs | {"modality_mask": part.modality_mask})
    found = task_of(data).score(part.labels, outputs)
    assert record.validation == pytest.approx(found, abs=1e-5)


def test_a_prediction_names_the_class(run):
    arrays = runs.arrays()
    arrays.pop("y")
    path = run[3] / "model.keras"
    outputs = prediction.predict(path, arrays)
    names = prediction.class_names(path, outputs)
    columns = predictions.columns_of(outputs, names, ["a", "b"], None)
    assert [*columns][1:5] == ["class", *(f"probability {n}" for n in names)]
    best = scores.in_the_middle(outputs["probabilities"])
    assert columns["class"].tolist() == [names[k] for k in best]
    assert outputs["median_class"].tolist() == best.tolist()


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_the_class_in_the_middle_is_named_everywhere():
    outputs = {
        "probabilities": np.array([[0.4, 0.25, 0.35], [0.2, np.nan, 0.3]]),
        "median_class": np.array([1.0, 0.0]),  # float32 in a SavedModel
    }
    names = ["low", "mid", "high"]
    assert predictions.classes_of(outputs, names) == ["mid", None]
    _, rows = prediction_tables.prediction_rows(outputs, names, [])
    assert [row[1:] for row in rows] == [["mid", "0.250"], ["–", "no number"]]
    found = contributions.of_rows(
        lambda inputs: {
            "probabilities": outputs["probabilities"][:1] * inputs["modality_mask"],
            "median_class": outputs["median_class"][:1],
        },
        {"a": np.ones((1, 1)), "modality_mask": np.ones((1, 1), bool)},
    )
    assert found.best.tolist() == [1] and found.values.tolist() == [[0.25]]


def test_confidence_is_that_of_the_named_class(run):
    recipe, data, record, folder = run
    model = comparison.trained(recipe, data, folder)
    shares, labels = evaluation.full_outputs(model, data.test), data.test.labels
    named = scores.in_the_middle(shares)
    assert (named != shares.argmax(axis=1)).any()
    found = confidence.judged_confidence(model, data, data.test, record)
    own = shares[np.arange(len(labels)), named]
    assert sum(found["reliability"]["confidence"]) == pytest.approx(own.sum(), rel=1e-5)
    assert found["risk"][-1] == np.mean(named != labels)
    moved = contributions.score_contributions(model, data.test, task_of(data))
    assert moved["base"] + sum(moved["score"].values()) == pytest.approx(
        task_of(data).score(labels, shares), abs=1e-5
    )


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_boosting_and_a_linear_model_are_judged_alike(run):
    pytest.importorskip("sklearn")
    data = run[1]
    for model in classical.fitted(data, 0).values():
        assert task_of(data).score(data.test.labels, model(data.test)) > 0.6


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_kappa_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    labels, shares = rng.integers(0, 4, 50), rng.random((50, 5))
    found = scores.in_the_middle(shares)
    expected = metrics.cohen_kappa_score(labels, found, weights="quadratic")
    assert measures.quadratic_kappa(labels, shares) == pytest.approx(expected)
    given = measures.ordinal(labels, shares)
    mae = metrics.mean_absolute_error(labels, found)
    assert given["MAE of ranks"] == pytest.approx(mae)
    assert given["accuracy"] == metrics.accuracy_score(labels, found)
    assert given["within one"] == np.mean(np.abs(labels - found) < 2)
    watchable = task_for(1, 5, "ordinal").watchable
    assert watchable["accuracy"](labels, shares) == given["accuracy"]
    f1 = metrics.f1_score(labels, found, average="macro")
    assert watchable["macro F1"](labels, shares) == pytest.approx(f1)
    nothing = measures.quadratic_kappa(np.zeros(3, int), np.eye(2)[[0, 0, 0]])
    assert nothing == 0
