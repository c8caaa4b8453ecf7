import numpy as np
import pytest

from keras_fusion.common.files import read_json
from keras_fusion.experiments import (
    comparison,
    distillation,
    evaluation,
    folds,
    kept_rows,
    prediction,
    recipes,
)
from tests.cli.running import run, succeed
from tests.experiments.runs import write


@pytest.mark.slow
@pytest.mark.only_on("torch", reason="no backend changes how folds are dealt")
def test_folds_are_one_model_with_an_honest_score(tmp_path):
    path = write(tmp_path)
    options = "--folds", 3, "--distill", "--quiet", "--runs", tmp_path / "runs"
    out = succeed("train", path, *options)
    assert "out of fold" in out and "of modality 'b' with the training mean" in out
    folder = tmp_path / "runs" / "tiny" / "ensemble" / "seed-0"
    with np.load(folder / folds.PREDICTIONS) as found:
        labels, outputs = found["labels"], found["outputs"]
    recipe = recipes.read(str(path))
    data = recipes.load_data(recipe, 0)
    rows = len(data.train.labels) + len(data.validation.labels)
    assert len(labels) == len(outputs) == rows
    right = np.mean(outputs.argmax(-1) == labels)
    assert f"{right:.4f}" in out
    raw = kept_rows.samples(folder / "model.keras")
    answers = prediction.predict(folder / "model.keras", raw)
    np.testing.assert_allclose(answers["probabilities"].sum(-1), 1, rtol=1e-5)
    assert answers["modality_weights"].shape == (len(raw["a"]), 2)
    small = folder / distillation.DISTILLED
    record = read_json(small / distillation.RECORD)
    model = comparison.trained(recipe, data, small)
    found = evaluation.full_outputs(model, data.test)
    assert record["parameters"] == model.count_params()
    assert record["test"]["distilled"] == np.mean(found.argmax(-1) == data.test.labels)
    points = 100 * (record["test"]["distilled"] - record["test"]["ensemble"])
    assert f"{points:+.1f} points" in out
    of_small = prediction.predict(small / "model.keras", raw)["probabilities"]
    assert of_small.shape == answers["probabilities"].shape


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_folds_of_a_table_are_prepared_alike(tmp_path):
    """Means that drift from row to row, and words that few rows have."""
    rows = [f"{i * i},{'abc'[i % 3]}{i // 20},{i % 2}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["x,word,y", *rows]) + "\n")
    recipe = recipes.Recipe(name="t", dataset=f"table:{tmp_path / 't.csv'}")
    parts = folds.parts_of(recipe, 0, 3)
    every = [
        np.concatenate([part.inputs["table"] for part in (data.train, data.validation)])
        for data in parts
    ]
    for own in every[1:]:
        np.testing.assert_array_equal(np.sort(own, axis=0), np.sort(every[0], axis=0))


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_a_network_is_distilled_of_several(tmp_path):
    status, _, err = run("train", write(tmp_path), "--distill")
    assert status == 2 and "--folds K" in err
