"""From times and events to a model that tells risks and survival."""

import dataclasses

import numpy as np
import pytest

from keras_fusion import survival
from keras_fusion.common.errors import InputError
from keras_fusion.experiments import (
    classical,
    comparison,
    kept_rows,
    linear_cox,
    prediction,
    predictions,
    recipes,
    saving,
    training,
    variants,
)
from keras_fusion.experiments.evaluation import full_outputs
from keras_fusion.experiments.reports import prediction_tables
from keras_fusion.experiments.survival_curves import median_times
from keras_fusion.experiments.tasks import task_of, taught
from keras_fusion.zoo.parts.linear_path import parts_of

RECIPE = """
dataset = "table:{file}"
time = "days"
event = "died"
task = "{task}"
[modalities.a]
columns = ["a", "b"]
[modalities.c]
columns = ["c"]
[arguments]
units = 4
encoder_depth = 0
[training]
epochs = {epochs}
batch_size = 64
learning_rate = 3e-2
"""


def columns(rows=120):
    """Times that the sum of `a` and `c` makes short, a third of them censored."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, rows))
    times = rng.exponential(np.exp(-x[0] - x[2]))
    ends = rng.exponential(2, rows)
    died = np.where(times <= ends, "yes", "no")
    return {"a": x[0], "b": x[1], "c": x[2]} | {
        "days": np.minimum(times, ends).round(3),
        "died": died,
    }


def run_of(folder, task, epochs=2):
    found = columns()
    lines = [",".join(found), *(",".join(map(str, x)) for x in zip(*found.values()))]
    (folder / "p.csv").write_text("\n".join(lines))
    (folder / "p.toml").write_text(
        RECIPE.format(file=folder / "p.csv", task=task, epochs=epochs)
    )
    recipe = recipes.read(str(folder / "p.toml"))
    data = recipes.load_data(recipe, 0)
    record = training.fit(recipe, data, 0, folder / "run")
    saving.save_deployable(recipe, data, folder / "run")
    return recipe, data, record, folder / "run"


@pytest.fixture(scope="module", params=["risk", "survival"])
def run(request, tmp_path_factory):
    return run_of(tmp_path_factory.mktemp("run"), request.param)


def test_no_linear_path_is_built_that_nothing_fits(run):
    recipe, data, _, folder = run
    model = comparison.trained(recipe, data, folder)
    assert parts_of(model) == (None, None)
    asked = dataclasses.replace(recipe, arguments={"linear_path": True})
    with pytest.raises(InputError, match="linear model is fitted for the task .*leave"):
        variants.build(asked, data)


def test_validation_watches_the_concordance(run):
    recipe, data, record, folder = run
    assert record.metric == "concordance"
    part = data.validation
    outputs = full_outputs(comparison.trained(recipe, data, folder), part)
    found = survival.concordance(*part.labels.T, outputs)
    assert record.validation == pytest.approx(found, abs=1e-6)


def test_risk_and_survival_go_with_the_model(run):
    recipe, data, record, folder = run
    path = folder / "model.keras"
    answered = full_outputs(comparison.trained(recipe, data, folder), data.test)
    rows = prediction.read_rows(path, folder.parent / "p.csv")
    outputs = prediction.predict(path, rows.inputs)
    shares, times = outputs["survival"], prediction.class_names(path, outputs)
    assert times == list(data.output_names) and shares.shape == (120, len(times))
    assert (np.diff(shares, axis=1) <= 1e-6).all() and outputs["risk"].shape == (120, 1)
    own = prediction.predict(path, data.test.inputs)
    if data.task == "risk":
        expected = np.exp(-np.array(record.hazards) * np.exp(answered))
        np.testing.assert_allclose(own["risk"], answered, rtol=1e-5, atol=1e-6)
    else:
        expected = 1 - np.cumsum(answered, axis=1)[:, :-1]
        mean = answered @ np.arange(answered.shape[1])
        np.testing.assert_allclose(-own["risk"][:, 0], mean, rtol=1e-5)
    np.testing.assert_allclose(own["survival"], expected, rtol=1e-4, atol=1e-6)
    name, kept = next(iter(kept_rows.trained(path).items()))
    raw = prediction.predict(path, kept_rows.samples(path))
    np.testing.assert_allclose(raw[name], kept, rtol=1e-4, atol=1e-6)


def test_a_person_reads_times(run):
    path = run[3] / "model.keras"
    rows = prediction.read_rows(path, run[3].parent / "p.csv")
    outputs = prediction.predict(path, rows.inputs)
    times = prediction.class_names(path, outputs)
    found = predictions.columns_of(outputs, times, ["a", "c"], None)
    assert [*found][:4] == ["row", "risk", "median time", f"survival at {times[0]}"]
    header, cells = prediction_tables.prediction_rows(outputs, times, ["a", "c"])
    assert header[1:3] == ["risk", "median time"] and len(cells) == 120
    written = predictions.document(outputs, times, None, ())
    assert written["times"] == times and len(written["median_time"]) == 120


def test_medians_lie_on_a_line_between_two_times():
    shares = np.array([[0.75, 0.25], [0.9, 0.6], [0.2, 0.1], [0.5, 0.5]])
    found = median_times(shares, np.array([2.0, 4.0]))
    np.testing.assert_allclose(found, [3.0, np.nan, 1.25, 2.0])


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_a_linear_model_stands_beside_and_boosting_does_not(run):
    data = run[1]
    (linear,) = classical.fitted(data, 0).values()
    assert task_of(data).score(data.test.labels, linear(data.test)) > 0.7
    assert "no times of rows" in classical.without_boosting(data)


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_linear_cox_is_where_the_likelihood_is_largest():
    found = columns()
    x = np.stack([found["a"], found["b"], found["c"]], axis=1)
    labels = np.stack([found["days"].round(1), found["died"] == "yes"], 1)  # with ties
    model = linear_cox.LinearCox(0.1).fit(x, labels)

    def loss(weights):
        risks = ((x - x.mean(0)) / x.std(0)) @ weights
        lost = [
            np.log(np.exp(risks[labels[:, 0] >= t]).sum()) - risks[i]
            for i, (t, died) in enumerate(labels)
            if died
        ]
        return np.mean(lost) + 0.05 * weights @ weights

    steps = 1e-4 * np.concatenate([np.eye(3), -np.eye(3)])
    slopes = [loss(model.weights + step) - loss(model.weights) for step in steps]
    assert min(slopes) > -1e-8
    assert model.weights[0] > 0.5 and abs(model.weights[1]) < 0.2


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_models_of_times_learn_from_no_other(run):
    with pytest.raises(InputError, match="Models of times"):
        taught(task_of(run[1]))


@pytest.mark.slow
@pytest.mark.only_on("torch", reason="no backend changes how well it learns")
def test_a_model_learns_who_is_first(tmp_path):
    _, data, record, _ = run_of(tmp_path, "risk", epochs=30)
    assert record.validation > 0.75
