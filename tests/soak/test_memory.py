import os
import statistics
from pathlib import Path

import pytest

from keras_fusion import training
from tests import runs

pytestmark = pytest.mark.soak

FITS = 50


def resident():
    """MiB of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def test_fits_leave_no_memory_behind(tmp_path):
    recipe, data = runs.load(runs.write(tmp_path), epochs=1)
    held = []
    for i in range(FITS):
        training.fit(recipe, data, i, tmp_path / str(i))
        held.append(resident())
    print([round(x) for x in held])
    # The first fits load libraries and fill caches.
    growth = statistics.fmean(held[-10:]) - statistics.fmean(held[10:20])
    assert growth < 1.0 * 30, f"{growth:.0f} MiB in 30 fits"
