"""Several processes on one search, and what becomes of those that die."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import grpc
import pytest
from keras_tuner.src import protos

from keras_fusion import tuning
from keras_fusion.files import write_json
from keras_fusion.tuning import chief as chiefs
from keras_fusion.tuning import trial as trials
from keras_fusion.tuning import worker, workers
from keras_fusion.tuning.tuner import FusionTuner
from tests.experiments import runs
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


def test_a_worker_process_does_not_train_for_ever(small, tmp_path, monkeypatch):
    code = "from keras_fusion.tuning import worker; worker.TRIALS = 1; worker.main()"
    monkeypatch.setattr(workers, "WORKER", code)
    start, started = workers._start, []

    def counted(*args):
        started.append(args)
        return start(*args)

    monkeypatch.setattr(workers, "_start", counted)
    few = tuning.changed(small, trials=2)
    assert len(tuning.search(few, tmp_path / "runs", workers=1)) == 2
    assert len(started) == 3  # one for each trial, and one that finds none


def test_a_killed_chief_takes_its_workers_along_and_is_gone_on_with(small, tmp_path):
    code = """
import pathlib, sys
from keras_fusion import tuning
tuning.search(tuning.read(sys.argv[1]), pathlib.Path(sys.argv[2]), workers=2)
"""
    folder = tmp_path / "runs"
    arguments = [sys.executable, "-c", code, str(tmp_path / "tiny.toml"), str(folder)]
    chief = subprocess.Popen(arguments)
    wait_for(lambda: list(folder.glob("trials/*/lock")))
    chief.kill()
    assert chief.wait() == -signal.SIGKILL
    wait_for(lambda: not running(str(folder)))
    found = tuning.search(small, folder, workers=1)
    assert [t["status"] for t in found] == ["completed"] * 4


def wait_for(condition, seconds=120):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def running(word):
    """Whether a process has this word on its command line."""
    done = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True)
    return word in done.stdout


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
    assert servicer.lost == ["w"]
    again = servicer.oracle.create_trial("v")
    assert again.trial_id == trial.trial_id


def test_the_chief_does_not_end_before_a_trial_that_was_lost(servicer):
    servicer, trial, _ = servicer
    servicer.stop_triggered = True  # all other workers were told that there is no more
    servicer.heard[trial.trial_id] -= chiefs.SILENCE + 1
    servicer.last -= chiefs.SILENCE + 1
    assert not servicer.over() and not servicer.over()
    servicer.last -= chiefs.PATIENCE
    with pytest.raises(ValueError, match="Trial 0000 lost its worker.*start workers"):
        servicer.over()


def test_a_worker_does_not_wait_for_ever_for_its_chief(monkeypatch):
    monkeypatch.setattr(worker, "PATIENCE", 1)
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
    monkeypatch.setenv("KERASTUNER_ORACLE_PORT", str(free_port()))
    request = protos.get_service().GetSpaceRequest()
    with pytest.raises(grpc.RpcError) as error:
        worker._stub().GetSpace(request, wait_for_ready=True, timeout=20)
    assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_worker_that_comes_late_ends_at_once(small, tmp_path, monkeypatch):
    few, folder = tuning.changed(small, trials=1), tmp_path / "runs"
    tuning.search(few, folder)
    write_json(folder / tuning.RESULTS, tuning.results(few, folder))
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "worker-9")
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
    monkeypatch.setenv("KERASTUNER_ORACLE_PORT", str(free_port()))
    assert tuning.search(few, folder) == []


def test_a_worker_leaves_the_state_to_the_chief(small, tmp_path, monkeypatch):
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "worker-0")
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
    monkeypatch.setenv("KERASTUNER_ORACLE_PORT", str(free_port()))
    FusionTuner(small, tmp_path / "runs", print).save()
    assert not [path for path in (tmp_path / "runs").rglob("*") if path.is_file()]


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_chief_and_workers_by_keras_tuners_own_variables(small, tmp_path):
    """As on several machines: separate processes that share a folder and a port.

    There is one trial for two workers, so one is done before any trial has ended.
    """
    command = ["tune", tmp_path / "tiny.toml", "--trials", 1, "--runs", tmp_path / "r"]
    address = {
        "KERASTUNER_ORACLE_IP": "127.0.0.1",
        "KERASTUNER_ORACLE_PORT": str(free_port()),
    }
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "keras_fusion.cli.main", *map(str, command)],
            env=os.environ | address | {"KERASTUNER_TUNER_ID": name},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in ("worker-0", "worker-1", "chief")
    ]
    said = [process.communicate(timeout=300)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], said
    assert "1 trials completed" in said[-1] and "results.json" in said[-1]
