"""Searches that are killed, and one of two hundred trials."""

import os
import random
import signal
import statistics
import subprocess
import sys
import time

import pytest

from keras_fusion import tuning
from tests.experiments import runs
from tests.soak.commands import SLOW

pytestmark = pytest.mark.soak

KILLS, RUNS, TRIALS = 12, 40, 200
TEXT = (
    runs.RECIPE.split("[arguments]")[0]
    + """
[training]
epochs = 1
batch_size = 16

[space]
fusion = ["Summation", "AdaptiveWeighting", "Concatenation"]
units = [4, 8]

[search]
tuner = "random"
trials = 12
"""
)
TUNE = (
    SLOW
    + """
from keras_fusion import tuning

tuning.search(tuning.read(sys.argv[1]), pathlib.Path(sys.argv[2]))
"""
)
MEMORY = """
import os, pathlib, sys
from keras_fusion import tuning

def report(trial):
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    print(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)

search = tuning.changed(tuning.read(sys.argv[1]), trials=int(sys.argv[3]))
tuning.search(search, pathlib.Path(sys.argv[2]), report)
"""


def start(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ
        | {"KERAS_BACKEND": "torch", "PYTHONPATH": os.pathsep.join([".", *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process, seconds=300):
    """What it printed, once it has ended well."""
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 0, err
    return out


def test_kills_lose_no_trial(tmp_path):
    path = runs.write(tmp_path, TEXT)
    finish(start(TUNE, path, tmp_path / "whole"))
    expected = tuning.summaries(tmp_path / "whole")
    rng, kills, folder = random.Random(0), 0, tmp_path / "killed"
    finished = []
    for _ in range(RUNS):
        with start(TUNE, path, folder) as process:
            before = len(list(folder.glob("trials/*")))
            while process.poll() is None:
                if len(list(folder.glob("trials/*"))) > before or before == 12:
                    break
                time.sleep(0.01)
            time.sleep(rng.uniform(0, 1))
            process.send_signal(signal.SIGKILL)
            status = process.wait()
            assert status in (0, -signal.SIGKILL), process.stderr.read()
        kills += status == -signal.SIGKILL
        if status == 0 or kills == KILLS:
            break
        found = tuning.summaries(folder)
        assert [t.trial for t in finished] == [t.trial for t in found[: len(finished)]]
        finished = found
    assert kills >= 5
    finish(start(TUNE, path, folder))
    found = tuning.summaries(folder)
    assert [t.values for t in found] == [t.values for t in expected]
    assert [t.scores for t in found] == [t.scores for t in expected]


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads Linux' /proc")
def test_two_hundred_trials_leave_no_memory_behind(tmp_path):
    path = runs.write(tmp_path, TEXT)
    out = finish(start(MEMORY, path, tmp_path / "runs", TRIALS), 1200)
    held = [float(line) for line in out.split()]  # MiB after each trial
    assert len(held) == TRIALS
    # The first trials load libraries and fill caches.
    growth = statistics.fmean(held[-20:]) - statistics.fmean(held[30:50])
    assert growth < 30, f"{growth:.0f} MiB in 150 trials"
