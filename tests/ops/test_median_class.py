import numpy as np

from keras_fusion.ops import median_class
from tests.conftest import to_numpy


def by_counting(p):
    """The least k whose classes up to it have half of the probability, in float64."""
    p = p.astype("float64")
    return next(k for k in range(len(p)) if p[: k + 1].sum() >= p.sum() / 2 - 1e-6)


def test_against_counting():
    p = np.random.default_rng(0).dirichlet(np.ones(5) / 2, (40, 3)).astype("float32")
    expected = np.apply_along_axis(by_counting, -1, p)
    np.testing.assert_array_equal(to_numpy(median_class(p)), expected)
    assert (expected != p.argmax(axis=-1)).any()


def test_it_is_off_by_the_fewest_classes():
    p = np.random.default_rng(1).dirichlet(np.ones(6), 30)
    far = np.abs(np.arange(6)[:, None] - np.arange(6))
    expected = (p @ far).argmin(axis=-1)
    np.testing.assert_array_equal(to_numpy(median_class(p)), expected)


def test_one_half_is_reached_in_spite_of_rounding():
    sixths = np.full((1, 6), 1 / 6, "float32")  # which sum to a bit less than one half
    tenths = np.float32([[0.1, 0.1, 0.1, 0.1, 0.1, 0.5]])
    assert to_numpy(median_class(sixths)).tolist() == [2]
    assert to_numpy(median_class(tenths)).tolist() == [4]
    assert to_numpy(median_class(np.zeros((1, 4), "float32"))).tolist() == [0]
    assert to_numpy(median_class(sixths * 7)).tolist() == [2]
