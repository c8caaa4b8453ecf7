"""Files that are streamed are never in memory together."""

import tracemalloc

import numpy as np
import pytest

from keras_fusion import datasets
from tests.datasets.columns.examples import picture

ROWS, SIDE = 1200, 64


@pytest.mark.slow
@pytest.mark.only_on("torch", reason="no backend changes it")
def test_a_table_of_pictures_takes_a_part_of_their_memory():
    scans = np.empty(ROWS, object)
    scans[:] = [picture("RGB", size=(SIDE, SIDE))] * ROWS
    table = {"scan": scans, "y": ["a", "b"] * (ROWS // 2)}
    spec = {"scan": {"image": "scan", "size": [SIDE, SIDE]}}
    tracemalloc.start()
    data = datasets.table(table, label="y", modalities=spec, stream=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    rows = data.train.inputs["scan"]
    assert rows[:2].shape == (2, SIDE, SIDE, 3) and data.train.modality_mask.all()
    assert peak < ROWS * SIDE * SIDE * 3 / 2
