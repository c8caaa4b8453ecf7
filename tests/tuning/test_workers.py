"""Several processes on one search, and what becomes of those that die."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from keras_fusion import tuning
from keras_fusion.tuning import chief as chiefs
from keras_fusion.tuning import trial as trials
from keras_fusion.tuning import workers
from keras_fusion.tuning.tuner import FusionTuner
from tests import runs
from tests.tuning.test_search import TEXT, values

pytestmark = [
    pytest.mark.slow,
    pytest.mark.only_on("torch", reason="no backend changes it"),
]


@pytest.fixture
def small(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.getcwd(), *sys.path]))
    return tuning.read(str(runs.write(tmp_path, TEXT)))


def test_workers_train_what_one_process_would(small, tmp_path):
    reported = []
    found = tuning.search(small, tmp_path / "two", reported.append, workers=2)
    assert values(found) == values(tuning.search(small, tmp_path / "one"))
    assert {t["trial"] for t in reported} == {t["trial"] for t in found}
    assert {t["status"] for t in found} == {"completed"}


def test_a_worker_that_dies_is_replaced(small, tmp_path, monkeypatch):
    start, killed = workers._start, []

    def dying(name, folder, port, count):
        process = start(name, folder, port, count)

        def kill():
            while not list((folder / "tuner").glob("trial_*")):
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            killed.append(name)

        if not killed:
            threading.Thread(target=kill, daemon=True).start()
        return process

    monkeypatch.setattr(workers, "_start", dying)
    few = tuning.changed(small, trials=2)
    found = tuning.search(few, tmp_path / "runs", workers=1)
    assert killed == ["worker-0"]
    assert [t["status"] for t in found] == ["completed"] * 2
    again = []
    assert tuning.search(few, tmp_path / "runs", again.append) == found
    assert again == []  # nothing is left to run


def test_workers_that_cannot_work_say_why(small, tmp_path, monkeypatch):
    start = workers._start

    def spoiled(name, folder, port, count):
        (folder / "workers" / "search.json").write_text("{")
        return start(name, folder, port, count)

    monkeypatch.setattr(workers, "_start", spoiled)
    with pytest.raises(ValueError, match="A worker gave up: Expecting"):
        tuning.search(small, tmp_path / "runs", workers=1)


@pytest.fixture
def servicer(small, tmp_path):
    """The chief's side alone, and a trial that a worker has."""
    told = []
    tuner = FusionTuner(small, tmp_path / "runs", told.append)
    servicer = chiefs._Servicer(tuner)
    trial = tuner.oracle.create_trial("w")
    servicer.heard[trial.trial_id] = time.monotonic()
    return servicer, trial, told


def test_a_trial_that_kills_its_workers_fails(servicer, tmp_path):
    servicer, trial, told = servicer
    for _ in range(chiefs.RETRIES):
        servicer._bury(trial)
        assert "w" in servicer.oracle.ongoing_trials
    servicer._bury(trial)
    assert not servicer.oracle.ongoing_trials
    (done,) = trials.summaries(tmp_path / "runs")
    assert done["status"] == "failed" and done["reason"] == "its worker died, 3 times"
    assert told == [done]


def test_a_silent_worker_loses_its_trial_to_the_next(servicer):
    servicer, trial, _ = servicer
    assert not servicer.over() and servicer.oracle.ongoing_trials
    servicer.heard[trial.trial_id] -= chiefs.SILENCE + 1
    assert not servicer.over() and not servicer.oracle.ongoing_trials
    again = servicer.oracle.create_trial("v")
    assert again.trial_id == trial.trial_id


def test_chief_and_workers_by_keras_tuners_own_variables(small, tmp_path):
    """As on several machines: separate processes that share a folder and a port."""
    command = ["tune", tmp_path / "tiny.toml", "--trials", 2, "--runs", tmp_path / "r"]
    address = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": "8765"}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "keras_fusion.cli", *map(str, command)],
            env=os.environ | address | {"KERASTUNER_TUNER_ID": name},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in ("worker-0", "chief")
    ]
    worker, chief = (process.communicate(timeout=300)[0] for process in started)
    assert [process.returncode for process in started] == [0, 0], worker + chief
    assert "2 trials completed" in chief and "results.json" in chief
