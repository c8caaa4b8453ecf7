import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion.ops.positions import (
    flatten_positions,
    flatten_presence,
    restore_positions,
)
from tests.conftest import assert_close
from tests.layers.cases import draw


@pytest.mark.parametrize("shape", [(6,), (2, 3), (1, 2, 3), (1, 2, 3, 1)])
def test_there_and_back(shape):
    x = draw(*shape, 4)
    like = ops.convert_to_tensor(x)
    flat = flatten_positions(like)
    assert_close(flat, x.reshape(6, 4))
    assert_close(restore_positions(flat, like), x)
    heads = ops.reshape(flat, (6, 2, 2))
    assert_close(restore_positions(heads, like), x.reshape(*shape, 2, 2))


def test_unknown_positions_come_back():
    x = keras.Input((None, 3, 4))
    model = keras.Model(x, Doubled()(x))
    assert model.output.shape == (None, None, 3, 4)
    for tokens in (2, 5):
        sample = draw(2, tokens, 3, 4)
        assert_close(model(sample), 2 * sample)


class Doubled(keras.layers.Layer):
    def call(self, x):
        return restore_positions(2 * flatten_positions(x), x)


def test_presence_becomes_one_matrix():
    like = ops.convert_to_tensor(draw(2, 3, 4))
    assert flatten_presence(None, like) is None
    sample = np.array([[[True]], [[False]]])
    tokens = draw(2, 3, 1) > 0
    found = flatten_presence([ops.convert_to_tensor(p) for p in (sample, tokens)], like)
    expected = [np.repeat(sample.ravel(), 3), tokens.ravel()]
    np.testing.assert_array_equal(
        ops.convert_to_numpy(found), np.stack(expected, axis=1)
    )
