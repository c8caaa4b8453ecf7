import numpy as np
import pytest
from scipy import stats

from keras_fusion.ops import uncertainty
from tests.conftest import assert_close

P = np.random.default_rng(0).dirichlet(np.ones(4), 6).astype("float32")


def test_against_the_formulas():
    expected = stats.entropy(P.astype("float64"), axis=-1) / np.log(4)
    assert_close(uncertainty(P), expected.astype("float32"))
    largest = P.max(axis=-1).astype("float64")
    assert_close(uncertainty(P, "confidence"), np.float32((1 - largest) * 4 / 3))


@pytest.mark.parametrize("measure", ["entropy", "confidence"])
def test_it_reaches_from_zero_to_one(measure):
    ends = np.array([[0.25] * 4, [0, 0, 1, 0]], "float32")
    assert_close(uncertainty(ends, measure), np.array([1, 0], "float32"))
    maps = np.broadcast_to(ends[:, None, None], (2, 3, 5, 4))
    assert tuple(uncertainty(maps, measure).shape) == (2, 3, 5)


def test_another_measure_is_named():
    with pytest.raises(ValueError, match="No measure of uncertainty 'entropie'. Did"):
        uncertainty(P, "entropie")
