"""Processes of the command: two that want one run, and one that is told to stop."""

import contextlib
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.running import run, succeed
from tests.experiments import runs
from tests.experiments.test_training import assert_same

pytestmark = [
    pytest.mark.slow,
    pytest.mark.only_on("torch", reason="no backend changes it"),
]
# A shell's background process, and what it starts, is deaf to Ctrl-C.
COMMAND = """
import signal, sys
from keras_fusion.cli.main import main
from keras_fusion.experiments import training

signal.signal(signal.SIGINT, signal.default_int_handler)
training.fit.__kwdefaults__["checkpoint_every"] = 0
sys.exit(main())
"""


def words(folder, epochs):
    text = runs.RECIPE.replace("epochs = 3", f"epochs = {epochs}\npatience = 0")
    return "train", runs.write(folder, text), "--runs", folder / "runs", "--quiet"


@contextlib.contextmanager
def working(command, folder):
    """The command in another process, which has saved a checkpoint."""
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *map(str, command)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while not (folder / "checkpoint.npz").exists():
            assert process.poll() is None
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.communicate()


def test_one_process_at_a_time_trains_a_run(tmp_path):
    command = words(tmp_path, epochs=300_000)
    folder = tmp_path / "runs" / "tiny" / "model" / "seed-0"
    with working(command, folder) as process:
        status, _, err = run(*command)
        assert process.poll() is None
    assert status == 2 and err.count("\n") == 1
    assert f"Another process is at work in {folder}: let it end first" in err


def test_ctrl_c_twice_loses_nothing(tmp_path):
    command = words(tmp_path / "stopped", epochs=60)
    folder = tmp_path / "stopped" / "runs" / "tiny" / "model" / "seed-0"
    with working(command, folder) as process:
        for _ in range(10):  # Python drops one that falls into a finalizer
            process.send_signal(signal.SIGINT)
            time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
                break
        assert process.returncode in (130, -signal.SIGINT), process.stderr.read()
    assert not (folder / "fit.json").exists()
    succeed(*command)
    whole = words(tmp_path / "whole", epochs=60)
    succeed(*whole)
    assert_same(folder, tmp_path / "whole" / "runs" / "tiny" / "model" / "seed-0")
    assert not list(tmp_path.rglob("*.partial-*"))
