import numpy as np
import pytest

from keras_fusion.experiments import folds, kept_rows, prediction
from keras_fusion.experiments import recipe as recipes
from tests.cli.running import succeed
from tests.experiments.runs import write


@pytest.mark.slow
@pytest.mark.only_on("torch", reason="no backend changes how folds are dealt")
def test_folds_are_one_model_with_an_honest_score(tmp_path):
    path = write(tmp_path)
    out = succeed("train", path, "--folds", 3, "--quiet", "--runs", tmp_path / "runs")
    assert "out of fold" in out
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
