import numpy as np

from keras_fusion.datasets import normalize_depth


def test_by_hand():
    # median 30, quartiles 20 and 40; 0 is no reading
    found = normalize_depth(np.array([[[10, 20, 30], [40, 50, 0]]], np.uint16))
    expected = [[[-1, -0.5, 0], [0.5, 1, np.nan]]]
    np.testing.assert_allclose(found[..., 0], expected)
    assert found.shape == (1, 2, 3, 1) and found.dtype == np.float32


def test_the_unit_makes_no_difference():
    meters = np.random.default_rng(0).uniform(0.5, 2, (2, 5, 4))
    meters[0, 0, 0] = 0
    millimeters = normalize_depth(1000 * meters)
    np.testing.assert_allclose(millimeters, normalize_depth(meters), atol=1e-5)


def test_far_readings_are_clipped_and_a_flat_scene_is_zero():
    scene = np.array([[[1.0, 2, 3, 4, 1e6]], [[7, 7, 7, 7, 7]], [[0, 0, 0, 0, 0]]])
    found = normalize_depth(scene)[..., 0]
    np.testing.assert_allclose(found[0], [[-1, -0.5, 0, 0.5, 4]])
    assert not found[1].any() and np.isnan(found[2]).all()
