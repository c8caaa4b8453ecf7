"""One small search, and what may come between.

Trials are quickest on torch; that a search runs at all is proved on each backend.
"""

import dataclasses
import pathlib
import re
import time

import pytest

from keras_fusion import tuning
from keras_fusion.common.errors import InputError
from keras_fusion.experiments import single_run, training
from keras_fusion.tuning import selection
from keras_fusion.tuning.results import read
from tests.experiments import runs

TEXT = (
    runs.RECIPE.split("[arguments]")[0]
    + """
[training]
epochs = 1
batch_size = 16

[space]
fusion = ["Summation", "AdaptiveWeighting", "Concatenation"]
units = [4, 8]
encoder_depth = [0, 1]

[search]
trials = 4
tuner = "random"
"""
)


on_torch = pytest.mark.only_on("torch", reason="no matter of the backend")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Compiles less: XLA takes seconds for what then runs for milliseconds."""
    monkeypatch.setattr(single_run, "fast_settings", lambda steps: {})


@pytest.fixture
def small(tmp_path):
    return tuning.read(str(runs.write(tmp_path, TEXT)))


NAMES = ["0000", "0001", "0002", "0003"]


def values(trials):
    return [t.values for t in trials]


def test_a_search_runs_on_every_backend(small, tmp_path):
    (trial,) = tuning.search(tuning.changed(small, trials=1), tmp_path / "runs")
    assert trial.status == "completed" and 0 <= trial.scores[0] <= 1


@on_torch
def test_classes_are_averaged_by_their_likelihood(small, tmp_path, monkeypatch):
    given = {}

    def seen(outputs, score, by):
        given.update(scored=[*map(score, outputs.values())])
        given.update(likely=[*map(by, outputs.values())])
        return {"weights": {}, "scores": []}

    monkeypatch.setattr(selection, "chosen", seen)
    trials = tuning.search(tuning.changed(small, trials=2), tmp_path / "runs")
    # what stands beside the labels are the rows' own answers
    assert given["scored"] == pytest.approx([t.scores[0] for t in trials])
    assert all(-3 < x < 0 for x in given["likely"])  # and an accuracy is above


@on_torch
def test_a_search_that_was_stopped_goes_on(small, tmp_path):
    whole = tuning.search(small, tmp_path / "whole")
    assert [t.status for t in whole] == ["completed"] * 4
    assert all(t.parameters > 0 and t.latency > 0 for t in whole)

    def stop(trial):
        if trial.trial == "0001":
            raise KeyboardInterrupt

    folder = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        tuning.search(small, folder, stop)
    assert values(tuning.summaries(folder)) == values(whole)[:2]
    finished = []
    assert values(tuning.search(small, folder, finished.append)) == values(whole)
    assert len(finished) == 2  # the first two are not run again
    assert [t.scores for t in tuning.summaries(folder)] == [t.scores for t in whole]


@on_torch
def test_a_trial_that_was_under_way_is_run_again(small, tmp_path, monkeypatch):
    fit, calls = training.fit, []

    def killed(*args, **kwargs):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return fit(*args, **kwargs)

    monkeypatch.setattr(training, "fit", killed)
    with pytest.raises(KeyboardInterrupt):
        tuning.search(small, tmp_path / "runs")
    assert len(tuning.summaries(tmp_path / "runs")) == 1
    assert [t.trial for t in tuning.search(small, tmp_path / "runs")] == NAMES


@on_torch
def test_failed_trials_are_counted_and_say_why(small, tmp_path, monkeypatch):
    fit, calls = training.fit, []

    def failing(*args, **kwargs):
        calls.append(args)
        if len(calls) == 1:
            raise MemoryError("no room")
        return fit(*args, **kwargs)

    monkeypatch.setattr(training, "fit", failing)
    found = tuning.search(small, tmp_path / "runs")
    assert found[0].reason == "MemoryError: no room"
    assert tuning.counted(found) == "3 trials completed, 1 failed"
    assert len(tuning.leaderboard_rows(found)[1]) == 3


@on_torch
def test_a_reason_is_one_line_and_no_traceback(small, tmp_path, monkeypatch, capfd):
    def failing(*args, **kwargs):
        raise ValueError(
            "\n\n  shapes differ \nArguments received by Dense.call():\n x=1"
        )

    monkeypatch.setattr(training, "fit", failing)
    with pytest.raises(ValueError, match="All 1 trials failed"):
        tuning.search(tuning.changed(small, trials=1), tmp_path / "runs")
    (trial,) = tuning.summaries(tmp_path / "runs")
    assert trial.reason == "ValueError: shapes differ"
    assert "Traceback" not in "".join(capfd.readouterr())


@on_torch
def test_other_data_and_a_second_process_are_refused(small, tmp_path):
    few, folder = tuning.changed(small, trials=1), tmp_path / "runs"

    def second(trial):
        with pytest.raises(ValueError, match="Another process is at work in"):
            tuning.search(few, folder)

    tuning.search(few, folder, second)
    assert len(tuning.search(few, folder)) == 1
    runs.write(tmp_path, TEXT, **runs.arrays(seed=1))
    with pytest.raises(ValueError, match="differs in data"):
        tuning.search(few, folder)


@on_torch
def test_only_one_file_knows_the_inside_of_keras_tuner():
    for path in pathlib.Path(tuning.__file__).parent.rglob("*.py"):
        text = path.read_text()
        assert "keras_tuner.src" not in text, path
        assert path.name == "oracles.py" or not re.search(r"oracle\._", text), path


@on_torch
def test_a_search_whose_trials_all_fail_says_so(small, tmp_path, monkeypatch):
    def failing(*args, **kwargs):
        raise MemoryError("no room")

    monkeypatch.setattr(training, "fit", failing)
    with pytest.raises(ValueError, match="All 4 trials failed.*no room"):
        tuning.search(small, tmp_path / "runs")


@on_torch
def test_a_full_disk_ends_the_search(small, tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(training, "fit", full)
    folder = tmp_path / "runs"
    with pytest.raises(OSError, match="No space left.*the same command") as error:
        tuning.search(small, folder)
    assert error.value.filename == str(folder)


@on_torch
def test_the_budget_may_grow_but_not_the_space(small, tmp_path):
    few = tuning.changed(small, trials=1)
    assert len(tuning.search(few, tmp_path / "runs")) == 1
    assert len(tuning.search(tuning.changed(small, trials=2), tmp_path / "runs")) == 2
    other = dataclasses.replace(small, space={"units": [4, 4]})
    with pytest.raises(ValueError, match="differs in space"):
        tuning.search(other, tmp_path / "runs")


@on_torch
def test_minutes_are_a_promise(small, tmp_path):
    """A trial that takes too long is stopped, the first one too."""
    long = tuning.changed(small, epochs=300_000, minutes=0.05)
    endless = dataclasses.replace(long.training, patience=0)
    long = dataclasses.replace(long, training=endless)
    began = time.monotonic()
    with pytest.raises(ValueError, match="before the first trial was trained"):
        tuning.search(long, tmp_path / "long")
    assert time.monotonic() - began < 60


@on_torch
def test_hyperband_runs_and_its_recipes_train_to_the_end(small, tmp_path):
    search = tuning.changed(small, tuner="hyperband", trials=10, epochs=3)
    found = tuning.search(search, tmp_path / "runs")
    assert {t.status for t in found} == {"completed"}
    # What is judged and promoted trains as long as the search says, not the trial.
    assert {t.recipe["training"]["epochs"] for t in found} == {3}
    assert {t.epochs for t in found} == {1, 3}
    assert found[0].finished and found[-1].finished


@pytest.mark.parametrize(
    "budget, sentence",
    [
        ({"tuner": "grid"}, "tuner must be auto, hyperband, random or bayesian"),
        ({"trials": 0}, "trials must be a whole number from 1"),
        ({"minutes": -1}, "minutes must be a positive number"),
        ({"seed": -1}, "seed must be a whole number from 0"),
    ],
)
def test_bad_budgets_are_refused(small, budget, sentence):
    with pytest.raises(ValueError, match=sentence):
        tuning.changed(small, **budget)


def test_a_search_names_files_near_it(tmp_path):
    path = runs.write(tmp_path / "here", TEXT)
    path.rename(tmp_path / "search.toml")  # above its data
    tuning.read(str(tmp_path))
    (tmp_path / "other").mkdir()
    (tmp_path / "search.toml").rename(tmp_path / "other" / "search.toml")
    with pytest.raises(InputError, match="start the search in its folder if it is"):
        tuning.read(str(tmp_path / "other"))


@pytest.mark.parametrize(
    "line, sentence",
    [
        ("[training]\nlearning_rate = 1e-2", "learning_rate is searched"),
        ("[training]\nweight_decay = 1e-4", "weight_decay is searched"),
        (
            "[split]\ntrain_on_validation = true\n[training]\npatience = 0",
            "a search chooses by validation",
        ),
    ],
)
def test_what_a_search_would_not_heed_is_refused(tmp_path, line, sentence):
    path = runs.write(tmp_path, TEXT.replace("[training]", line))
    with pytest.raises(ValueError, match=sentence):
        tuning.read(str(path))


@on_torch
def test_published_searches_are_read():
    published = pathlib.Path(__file__).parents[2] / "tuning"
    for file in published.glob("*/results.json"):
        found = read(file)
        assert found.trials and found.test.winners[found.search.name].score > 0
