"""From several labels at once to a model that names them."""

import numpy as np
import pytest

from keras_fusion.common.errors import InputError
from keras_fusion.experiments import (
    class_weights,
    classical,
    comparison,
    measures,
    prediction,
    predictions,
    saving,
    training,
)
from keras_fusion.experiments.reports import prediction_tables
from keras_fusion.experiments.tasks import task_of
from tests.experiments import runs

NAMES = ["0", "1", "2"]


def labels():
    """Each label with probability 0.4 to 0.6, the first one told by `b`."""
    rng = np.random.default_rng(0)
    told = np.nan_to_num(runs.arrays()["b"]).sum(axis=1) > 3
    return np.column_stack([told, rng.random((100, 2)) < 0.5]).astype(int)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    recipe, data = runs.load(runs.write(folder, y=labels()), epochs=2)
    record = training.fit(recipe, data, 0, folder / "run")
    saving.save_deployable(recipe, data, folder / "run")
    return recipe, data, record, folder / "run"


def test_validation_watches_the_mean_average_precision(run):
    recipe, data, record, folder = run
    assert record.metric == "mean average precision"
    model = comparison.trained(recipe, data, folder)
    assert model.layers[-1].activation.__name__ == "sigmoid"
    part = data.validation
    outputs = model.predict(part.inputs | {"modality_mask": part.modality_mask})
    found = task_of(data).score(part.labels, outputs)
    assert record.validation == pytest.approx(found, abs=0.05)  # 200 thresholds


def test_a_prediction_names_all_labels_over_one_half(run, tmp_path):
    arrays = runs.arrays()
    arrays.pop("y")
    path = run[3] / "model.keras"
    outputs = prediction.predict(path, arrays)
    shares = outputs["label_probabilities"]
    assert shares.shape == (100, 3) and "probabilities" not in outputs
    found = predictions.labels_of(outputs, NAMES)
    assert found[0] == [n for n, p in zip(NAMES, shares[0]) if p > 0.5]
    header, rows = prediction_tables.prediction_rows(outputs, NAMES, ["a", "b"])
    assert header[1] == "labels" and rows[0][1] == (", ".join(found[0]) or "–")
    predictions.save(tmp_path / "out.csv", outputs, NAMES, ["a", "b"], None)
    first, second = (tmp_path / "out.csv").read_text().splitlines()[:2]
    assert first.startswith('"row","labels","probability 0"')
    assert second.startswith(f'0,"{"|".join(found[0])}"')
    assert predictions.document(outputs, NAMES, None, ())["labels"] == found
    unknown = {"label_probabilities": np.full((1, 3), np.nan)}
    assert predictions.labels_of(unknown, NAMES) == [None]


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_boosting_and_a_linear_model_have_one_for_each_label(tmp_path):
    pytest.importorskip("sklearn")
    several = np.column_stack([labels(), np.zeros(100, int)])  # one that none has
    _, data = runs.load(runs.write(tmp_path, y=several))
    for model in classical.fitted(data, 0).values():
        outputs = model(data.test)
        assert outputs.shape == data.test.labels.shape and not outputs[:, 3].any()
        assert measures.mean_auc(data.test.labels[:, :1], outputs[:, :1]) > 0.8


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_measures_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    own = labels()
    shares = np.clip(own * 0.2 + np.random.default_rng(1).random(own.shape), 0, 1) * 0.9
    found = shares > 0.5
    expected = {
        "macro F1": metrics.f1_score(own, found, average="macro"),
        "micro F1": metrics.f1_score(own, found, average="micro"),
        "AUC": metrics.roc_auc_score(own, shares),
        "exact match": metrics.accuracy_score(own, found),
    }
    given = measures.multilabel(own, shares)
    assert {k: given[k] for k in expected} == pytest.approx(expected)
    average = metrics.average_precision_score(own, shares)
    assert measures.mean_average_precision(own, shares) == pytest.approx(average)
    each = [metrics.log_loss(y, p) for y, p in zip(own.T, shares.T)]
    assert given["log loss"] == pytest.approx(np.mean(each))


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_weights_of_classes_need_one_class_a_row(tmp_path):
    _, data = runs.load(runs.write(tmp_path, y=labels()))
    with pytest.raises(InputError, match="has several labels"):
        class_weights.class_weights(data, "balanced")
