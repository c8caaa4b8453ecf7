import os
import statistics
import subprocess
import sys

import pytest

from tests.experiments import runs

pytestmark = pytest.mark.soak

# The backend that keeps nothing itself. JAX caches some of what it compiles, and on
# TensorFlow every model that XLA compiled stays in memory for good, whatever one
# deletes: https://github.com/tensorflow/tensorflow/issues/64170.
BACKEND = "torch"
FITS = 50

FIT = """
import os, pathlib, sys
from keras_fusion.experiments import training
from tests.experiments import runs

folder = pathlib.Path(sys.argv[1])
recipe, data = runs.load(folder / "tiny.toml", epochs=1)
for i in range(int(sys.argv[2])):
    training.fit(recipe, data, i, folder / str(i))
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    print(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads Linux' /proc")
def test_fits_leave_no_memory_behind(tmp_path):
    runs.write(tmp_path)
    process = subprocess.run(
        [sys.executable, "-c", FIT, str(tmp_path), str(FITS)],
        env=os.environ
        | {"KERAS_BACKEND": BACKEND, "PYTHONPATH": os.pathsep.join([".", *sys.path])},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert process.returncode == 0, process.stderr
    held = [float(line) for line in process.stdout.split()]  # MiB after each fit
    assert len(held) == FITS
    # The first fits load libraries and fill caches.
    growth = statistics.fmean(held[-10:]) - statistics.fmean(held[10:20])
    assert growth < 15, f"{growth:.0f} MiB in {FITS - 20} fits"
