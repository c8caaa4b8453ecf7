import numpy as np
import pytest
from keras import ops

from keras_fusion.ops.pooling import pool
from keras_fusion.ops.presence import Presence
from tests.conftest import assert_close
from tests.layers.cases import modalities

POOLING = {"sum": np.sum, "mean": np.mean, "max": np.max}
each = pytest.mark.parametrize("readout", POOLING)


@each
def test_pool(readout):
    inputs = modalities(4)
    tensors = [ops.convert_to_tensor(x) for x in inputs]
    assert_close(pool(tensors, Presence(), readout), POOLING[readout](inputs, axis=0))


@each
def test_pool_of_what_is_present(readout):
    inputs = modalities(3, (2, 4))
    there = np.array([[[1], [1]], [[0], [1]], [[1], [0]]], bool)
    inputs[1][0] = np.nan
    pooled = pool(
        [ops.convert_to_tensor(x) for x in inputs],
        Presence([ops.convert_to_tensor(p) for p in there]),
        readout,
    )
    for b, row in enumerate(there[..., 0].T):
        left = [x[b] for x, p in zip(inputs, row, strict=True) if p]
        assert_close(pooled[b], POOLING[readout](left, axis=0))


@pytest.mark.parametrize(
    "readout, nothing", [("sum", 0), ("mean", 0), ("max", -np.inf)]
)
def test_pool_of_nothing(readout, nothing):
    absent = Presence([ops.zeros((2, 1), "bool")] * 2)
    pooled = pool([ops.ones((2, 4))] * 2, absent, readout)
    assert_close(pooled, np.full((2, 4), nothing))
