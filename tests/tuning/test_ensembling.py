"""The ensemble of a search as one model."""

import dataclasses
import pathlib

import numpy as np
import pytest

from keras_fusion import tuning
from keras_fusion.cli import promote
from keras_fusion.common.errors import InputError
from keras_fusion.common.files import read_json
from keras_fusion.experiments import kept_rows, prediction, single_run
from keras_fusion.experiments.recipes import load_data
from keras_fusion.experiments.scores import accuracy
from keras_fusion.tuning import ensembling, trials
from keras_fusion.tuning.results import Ensemble
from keras_fusion.tuning.search_file import recipe_of
from tests.cli.running import run
from tests.experiments import runs
from tests.tuning import samples
from tests.tuning.test_search import TEXT


@pytest.mark.slow
@pytest.mark.only_on("torch", reason="no backend changes it")
def test_trials_become_one_model_that_takes_raw_features(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(single_run, "fast_settings", lambda steps: {})
    search = tuning.read(str(runs.write(tmp_path, TEXT)))
    searched = tmp_path / "runs"
    found = tuning.search(tuning.changed(search, trials=5), searched)
    results = tuning.results(search, searched)
    names = [t.trial for t in found if t.status == "completed"]
    single = next(t.trial for t in found if t.values["fusion"].startswith("only"))
    weights = {single: 2, next(n for n in names if n != single): 1}
    chosen = Ensemble(weights=weights, scores=[0.5, 0.6, 0.7])
    results = dataclasses.replace(results, ensemble=chosen)
    exported = []
    monkeypatch.setattr(
        promote.export, "export", lambda *args, **_: exported.append(args)
    )
    promote.promote_ensemble(results, "mine", searched)
    ((path, output),) = exported
    assert output == pathlib.Path("saved_models/mine")
    out = capsys.readouterr().out
    assert "members of the ensemble" in out and "its best member" in out
    record = read_json(path.parent / ensembling.RECORD)
    assert {n: own["weight"] for n, own in record["members"].items()} == weights
    assert record["validation"] == 0.7
    outputs = [np.load(trials.folder_of(searched, n) / trials.OUTPUTS) for n in weights]
    mean = (2 * outputs[0] + outputs[1]) / 3
    raw = kept_rows.samples(path)  # the first rows that validate
    answers = prediction.predict(path, raw)["probabilities"]
    there = ~np.isnan(raw[single_modality(found, single)]).all(axis=1)
    assert there.any()
    np.testing.assert_allclose(answers[there], mean[: len(there)][there], atol=1e-5)
    data = load_data(recipe_of(search), 0)
    whole = prediction.predict(path, raw_test_rows(search, data))["probabilities"]
    tested = accuracy(data.test.labels, whole)
    assert record["test"]["ensemble"] == pytest.approx(tested)
    assert record["test"].keys() == {"ensemble", "best"}


def raw_test_rows(search, data):
    """The test rows as they are in the file; a cell that is missing was imputed."""
    mean_and_std = {m: tuple(scale)[:2] for m, scale in data.statistics.items()}
    return {
        m: data.test.inputs[m] * std + mean for m, (mean, std) in mean_and_std.items()
    }


def single_modality(found, name):
    (own,) = [t for t in found if t.trial == name]
    return own.values["fusion"].removeprefix("only-")


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_one_trial_is_no_ensemble(tmp_path):
    single = Ensemble(weights={"0000": 3}, scores=[0.5])
    results = dataclasses.replace(samples.results(), ensemble=single)
    with pytest.raises(InputError, match="no ensemble that is better"):
        ensembling.promote_ensemble(results, tmp_path, tmp_path)


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_an_ensemble_is_promoted_by_a_name(tmp_path):
    path = runs.write(tmp_path, TEXT)
    status, _, err = run("tune", path, "--ensemble")
    assert status == 2 and "--promote NAME" in err
