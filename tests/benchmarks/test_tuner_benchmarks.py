"""What the comparison of tuners counts, and that two workers are timed against one."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from benchmarks import tuners
from keras_fusion import tuning
from tests.experiments import runs
from tests.tuning import samples
from tests.tuning.test_search import TEXT

ROOT = pathlib.Path(__file__).parents[2]
pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


def trials(*scores, epochs=9):
    """One after the other, each of a second and a half."""
    found = [samples.trial(i, "Summation", s) for i, s in enumerate(scores)]
    for trial in found:
        trial.values[tuning.EPOCHS] = epochs
    return found


def test_a_short_trial_costs_its_part():
    found = [*trials(0.5, 0.6, epochs=3), samples.trial(2, "Summation", 0.7)]
    trainings, seconds = zip(*tuners.costs(found, 9))
    assert trainings == pytest.approx([1 / 3, 2 / 3, 5 / 3])
    assert seconds == (1.5, 3.0, 4.5)


def test_caught_up_is_what_reaches_the_best_of_random_search():
    found = {
        "random": trials(0.5, 0.9, 0.8, 0.7),
        "hyperband": [samples.failed(0), *trials(0.2, 0.9, 0.95, epochs=3)],
        "bayesian": trials(0.5, 0.89),
    }
    found["hyperband"][0].values[tuning.EPOCHS] = 3
    row = tuners.compared(found, 9)
    assert row["random"]["best"] == 0.9 and row["random"]["trainings"] == 4
    assert row["random"]["share_of_trainings"] == 0.5  # its own second trial
    assert row["hyperband"]["best"] == 0.95
    assert row["hyperband"]["share_of_trainings"] == pytest.approx(1 / 4)
    assert row["hyperband"]["share_of_seconds"] == pytest.approx(3.5 / 6)
    assert row["bayesian"] == {"best": 0.89}


def test_who_did_not_catch_up_counts_as_infinitely_late():
    late, soon = {}, {"share_of_trainings": 0.3, "share_of_seconds": 0.4}
    rows = [{"random": soon, "hyperband": x} for x in (soon, late, late)]
    found = tuners.medians(rows, ["hyperband"])
    assert found["hyperband"] == {"share_of_trainings": None, "share_of_seconds": None}
    assert found["random"] == soon


@pytest.mark.slow
def test_shards_are_merged_and_winners_are_tested(tmp_path, monkeypatch):
    search = runs.write(tmp_path, TEXT)
    common = ["tuners", "--search", str(search), "--runs", str(tmp_path / "runs")]
    common += ["--trials", "2", "--tuners", "hyperband"]

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", [*common, *arguments])
        tuners.main()

    for seed in ("0", "1"):
        call("--seeds", seed, "--results", str(tmp_path / f"{seed}.json"))
    monkeypatch.setattr(tuning.search.__globals__["trials"], "run", None)
    call("--seeds", "0", "1", "--results", str(tmp_path / "all.json"))
    parts = [json.loads((tmp_path / f"{x}.json").read_text()) for x in ("0", "1")]
    whole = json.loads((tmp_path / "all.json").read_text())
    assert whole["seeds"] == [row for part in parts for row in part["seeds"]]
    for row in whole["seeds"]:
        assert all(0 <= row[name]["test"] <= 1 for name in ("random", "hyperband"))


@pytest.mark.soak
def test_two_workers_are_timed_against_one(tmp_path):
    path = tmp_path / "results.json"
    command = [sys.executable, "-m", "benchmarks.workers", "--quick"]
    command += ["--backends", "torch", "--results", str(path)]
    own = {"RAY_worker_niceness": "0"}  # a busy machine starves who gives way to all
    environment = os.environ | own
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env=environment)
    (row,) = json.loads(path.read_text())["rows"]
    assert row["ratios"]["two workers / one worker"]["value"] > 0
    assert all(row["trials an hour"].values())
