"""`ClassToken` and `PositionEmbedding`."""

import numpy as np
import pytest
from keras import ops

from keras_fusion.layers import ClassToken, PositionEmbedding
from tests.conftest import assert_close, to_numpy

X = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")


def test_positions_are_added():
    layer = PositionEmbedding()
    layer.build(X.shape)
    places = np.arange(12, dtype="float32").reshape(3, 4)
    layer.set_weights([places])
    assert_close(layer(X), X + places)


def test_positions_need_a_known_number_of_tokens():
    for shape in ((2, None, 4), (2, 4)):
        with pytest.raises(ValueError, match=r"known number T; received shape \(2, "):
            PositionEmbedding().build(shape)


def filled(grid, count, width=1, values=None):
    layer = PositionEmbedding(grid=grid)
    layer.build((None, count, width))
    if values is not None:
        layer.set_weights([np.reshape(np.float32(values), (count, width))])
    return layer


def test_places_are_interpolated_between_their_centers():
    trained = filled(None, 2, values=[0, 1])
    assert_close(filled(None, 4).resampled(trained), [[0], [0.25], [0.75], [1]])
    assert_close(filled(None, 1).resampled(trained), [[0.5]])
    line = np.arange(8.0)
    found = filled(None, 2).resampled(filled(None, 8, values=line))  # triangles of 4
    weights = np.maximum(0, 1 - np.abs(1.5 - line) / 4)
    assert float(found[0, 0]) == pytest.approx(line @ weights / weights.sum())
    rows = [0, 0, 10, 10]  # (2, 2), which falls from row to row
    tall = to_numpy(filled((4, 1), 4).resampled(filled((2, 2), 4, values=rows)))
    assert_close(tall, np.float32([[0], [2.5], [7.5], [10]]))


def test_a_class_token_keeps_its_vector_and_the_same_places_all():
    trained = filled((1, 2), 3, 2, values=[9, 9, 0, 1, 2, 3])
    found = to_numpy(filled((1, 4), 5, 2).resampled(trained))
    assert found[0].tolist() == [9, 9] and found[1].tolist() == [0, 1]
    assert (to_numpy(filled((1, 2), 3, 2).resampled(trained)).ravel()[:2] == 9).all()
    again = PositionEmbedding.from_config(trained.get_config())
    assert again.grid == (1, 2)


def test_places_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"as grid=\(2, 2\) has places; received 3"):
        filled((2, 2), 3)
    with pytest.raises(ValueError, match=r"0 before places \(4,\); received 1, 1 be"):
        filled(None, 4).resampled(filled((2, 2), 5))


def test_the_token_comes_first_and_is_the_same_for_all():
    layer = ClassToken()
    layer.build(X.shape)
    layer.set_weights([np.full((1, 1, 4), 7, "float32")])
    placed = layer(X)
    assert_close(placed[:, 0], np.full((2, 4), 7, "float32"))
    assert_close(placed[:, 1:], X)
    assert layer.compute_output_shape((None, 3, 4)) == (None, 4, 4)
    assert layer.compute_output_shape((2, None, 4)) == (2, None, 4)


def test_the_token_is_kept_by_masks():
    mask = np.array([[True, False, True], [False, False, False]])
    found = ops.convert_to_numpy(ClassToken().compute_mask(X, mask))
    np.testing.assert_array_equal(found, np.insert(mask, 0, True, axis=1))
    assert ClassToken().compute_mask(X) is None
