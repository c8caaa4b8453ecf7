import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion.ops.pairwise.segments import gather, segment_max, segment_sum
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import draw

SEGMENTS = np.array([2, 0, 2, 2, 4], "int32")


@pytest.mark.parametrize("last", [(), (3,), (2, 3)])
def test_sums_and_rows(last):
    x = draw(5, *last)
    expected = np.zeros((5, *last))
    np.add.at(expected, SEGMENTS, x)
    segments = ops.convert_to_tensor(SEGMENTS)
    assert_close(segment_sum(ops.convert_to_tensor(x), segments, 5), expected)
    if last:
        assert_close(gather(ops.convert_to_tensor(x), segments), x[SEGMENTS])


def test_maxima():
    x = draw(5, 2, 1)
    found = to_numpy(segment_max(ops.convert_to_tensor(x), SEGMENTS, 5))
    assert_close(found[2], x[[0, 2, 3]].max(axis=0))
    assert (found[[1, 3]] == np.float32(-1e30)).all()


@pytest.mark.parametrize("dtype, value", [("bfloat16", 1.0), ("float16", 100.0)])
def test_a_long_sum_neither_stalls_nor_overflows(dtype, value):
    x = ops.full((1000, 1), value, dtype)
    total = segment_sum(x, ops.zeros((1000,), "int32"), 1)
    assert keras.backend.standardize_dtype(total.dtype) == "float32"
    assert to_numpy(total) == 1000 * value
