"""What becomes of worker processes, by processes that do nothing."""

import contextlib
import subprocess
import sys

import pytest

from keras_fusion.tuning import workers
from keras_fusion.tuning.worker import AGAIN

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")
HANGS, ENDS = "import time; time.sleep(600)", "pass"


class Chief(contextlib.nullcontext):
    """Has not heard of the first worker."""

    port = 0

    def __init__(self, *arguments):
        super().__init__(self)
        self.lost = ["worker-0"]

    def over(self):
        return False

    def works(self, name):
        return False

    def silent(self):
        lost, self.lost = self.lost, []
        return lost


@pytest.fixture
def started(monkeypatch, tmp_path):
    """Runs a crew whose first processes run this code, all others none."""

    def crew(*codes, count=1):
        processes = []

        def start(*arguments):
            code = codes[len(processes)] if len(processes) < len(codes) else ENDS
            processes.append(subprocess.Popen([sys.executable, "-c", code]))
            return processes[-1]

        monkeypatch.setattr(workers, "FusionTuner", lambda *arguments: None)
        monkeypatch.setattr(workers, "Chief", Chief)
        monkeypatch.setattr(workers, "_start", start)
        workers.run({}, tmp_path, None, count)
        return [process.returncode for process in processes]

    return crew


def test_a_worker_that_hangs_is_replaced(started):
    assert started(HANGS) == [-9, 0]


def test_one_that_has_trained_enough_is_replaced_however_often(started):
    again = f"import sys; sys.exit({AGAIN})"
    codes = [again] * (workers.STILLBORN + 2)
    assert started(HANGS, *codes) == [-9, *[AGAIN] * len(codes), 0]
