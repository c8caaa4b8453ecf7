"""`ClassToken` and `PositionEmbedding`."""

import numpy as np
import pytest
from keras import ops

from keras_fusion.layers import ClassToken, PositionEmbedding
from tests.conftest import assert_close

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
