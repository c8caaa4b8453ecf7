import concurrent.futures
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from keras_fusion.experiments import training
from tests.experiments import runs
from tests.experiments.test_training import weights

pytestmark = pytest.mark.soak

CHAINS, KILLS = 2, 15

# Saves after each epoch, and takes its time over it, so that many a kill comes then.
TRAIN = """
import os, sys, time
from keras_fusion import files
from keras_fusion.cli import main as cli
from keras_fusion.experiments import training

replace = os.replace

def slowly(source, target):
    time.sleep(0.02)
    replace(source, target)

files.os.replace = slowly
training.fit.__kwdefaults__["checkpoint_every"] = 0
sys.exit(cli.main(sys.argv[1:]))
"""


def start(recipe, folder):
    command = ["train", recipe, "--runs", folder, "--epochs", "60", "--quiet"]
    return subprocess.Popen(
        [sys.executable, "-c", TRAIN, *map(str, command)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([".", *sys.path])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(recipe, folder):
    process = start(recipe, folder)
    assert process.wait(120) == 0, process.stderr.read()
    process.stderr.close()
    return folder / "tiny" / "model" / "seed-0"


def kill_often(recipe, folder, seed):
    """Kills the run again and again, and another where it is through; then ends it."""
    rng, kills, attempt = random.Random(seed), 0, 0
    ended = []
    while kills < KILLS:
        run = folder / str(attempt)
        process = start(recipe, run)
        saved = run / "tiny" / "model" / "seed-0" / "checkpoint.npz"
        before = stamp(saved)
        while process.poll() is None and stamp(saved) == before:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.5))
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        process.stderr.close()
        if process.returncode == 0:
            ended.append(saved.parent)
            attempt += 1
    return [*ended, finish(recipe, folder / str(attempt))]


def stamp(path):
    return path.stat().st_mtime_ns if path.exists() else None


def test_thirty_kills_change_nothing(tmp_path):
    recipe = runs.write(tmp_path)
    expected = weights(finish(recipe, tmp_path / "whole"))
    with concurrent.futures.ThreadPoolExecutor(CHAINS) as pool:
        chains = [
            pool.submit(kill_often, recipe, tmp_path / f"chain-{i}", i)
            for i in range(CHAINS)
        ]
    for folder in (folder for chain in chains for folder in chain.result()):
        found = weights(folder)
        assert found.keys() == expected.keys()
        for key, x in found.items():
            np.testing.assert_array_equal(x, expected[key], key)
        names = {p.name for p in folder.iterdir()}
        left = {"classes.json", "fit.json", "lock", "model.keras", "samples.npz"}
        assert names == left | {training.WEIGHTS, training.COMPILED}
