import keras
import pytest
from keras import ops

from keras_fusion.ops.positions import flatten_positions, restore_positions
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
