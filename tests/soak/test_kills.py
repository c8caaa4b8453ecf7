"""Runs that are killed at random moments end with the weights of one that is not."""

import os
import random
import signal
import subprocess
import time

import numpy as np
import pytest

from keras_fusion.common.files import read_json
from keras_fusion.experiments import record, single_run
from tests.experiments import runs, streamed
from tests.experiments.test_training import weights
from tests.soak.commands import SEARCH, start

pytestmark = pytest.mark.soak

KILLS = int(os.environ.get("KILLS", 25))
BACKENDS = "tensorflow", "jax", "torch"
TRAIN = "train {recipe} --runs {folder} --quiet --epochs 60"
TUNE = "tune {search} --runs {folder}"
COMMANDS = {
    "train": TRAIN,
    "stream": "train {streamed} --runs {folder} --quiet --epochs 20",
    "folds": "train {recipe} --runs {folder} --quiet --epochs 20 --folds 3",
    "tune": TUNE,
    "tune on Ray": f"{TUNE} --workers 2",
}


@pytest.fixture
def say(tmp_path):
    """The words of a command that works in this folder."""
    recipe = runs.write(tmp_path)
    streamed_recipe = streamed.write_recipe(streamed.write_files(tmp_path / "files"))
    search = tmp_path / "search.toml"
    search.write_text(SEARCH.format(data=tmp_path / "data.npz"))

    def words(command, folder):
        paths = {"recipe": recipe, "streamed": streamed_recipe, "search": search}
        return command.format(folder=folder, **paths).split()

    return words


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("command", COMMANDS)
def test_kills_change_no_bit(command, backend, say, tmp_path, record_property):
    record_property("kills", KILLS)
    began = time.monotonic()
    finish(backend, say(COMMANDS[command], tmp_path / "whole"))
    seconds = time.monotonic() - began
    expected = found_in(tmp_path / "whole")
    rng, kills, attempt = random.Random(0), 0, 0
    while kills < KILLS:
        words = say(COMMANDS[command], tmp_path / str(attempt))
        killed = kill(backend, words, tmp_path / str(attempt), seconds, rng)
        kills += killed
        if not killed:  # it was through before
            assert_same(found_in(tmp_path / str(attempt)), expected)
            attempt += 1
    finish(backend, say(COMMANDS[command], tmp_path / str(attempt)))
    assert_same(found_in(tmp_path / str(attempt)), expected)
    assert not list(tmp_path.rglob("*.partial-*"))


def kill(backend, words, folder, seconds, rng):
    """Kills the command, mostly once it wrote something; whether it still ran."""
    process = start(backend, words)
    before = newest(folder)
    loading = rng.random() < 0.1
    while process.poll() is None and newest(folder) == before and not loading:
        time.sleep(0.02)
    try:
        process.wait(rng.uniform(0, seconds / 3))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    status = process.wait()
    said = process.stderr.read()
    process.stderr.close()
    assert status in (0, -signal.SIGKILL), said
    return status == -signal.SIGKILL


def finish(backend, words):
    with start(backend, words) as process:
        assert process.wait(3600) == 0, process.stderr.read()


def newest(folder):
    """When something in the folder was last written."""
    times = [0]
    for path in folder.rglob("*"):
        try:
            times.append(path.stat().st_mtime_ns)
        except FileNotFoundError:  # it was in writing
            pass
    return max(times)


def found_in(folder):
    """All weights and losses of a folder of runs, and the scores of its trials."""
    found = {}
    for path in sorted(folder.rglob(single_run.WEIGHTS)):
        own = path.parent.relative_to(folder)
        found |= {f"{own}/{key}": x for key, x in weights(path.parent).items()}
        history = record.read(path.parent).history
        found |= {f"{own}/{key}": np.array(x) for key, x in history.items()}
    for path in sorted(folder.rglob("summary.json")):
        trial = read_json(path)
        found[f"{path.parent.name}: {trial['values']}"] = np.array(trial["scores"])
    assert found
    return found


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for key, x in found.items():
        np.testing.assert_array_equal(x, expected[key], key)
