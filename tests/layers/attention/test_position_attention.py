import keras
import numpy as np
import pytest

from keras_fusion.layers import PositionAttention
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import draw, randomize
from tests.layers.reference import float64, softmax


def built(x, **config):
    layer = PositionAttention(**config)
    layer(x)
    return randomize(layer)


def test_numbers():
    x = draw(2, 5, 3)
    layer = built(x, units=4, num_heads=2)
    queries = (float64(x) @ float64(layer.query_kernel)).reshape(2, 5, 2, 2)
    keys = (float64(x) @ float64(layer.key_kernel)).reshape(2, 5, 2, 2)
    values = np.einsum("bjc,jcu->bju", float64(x), float64(layer.kernel))
    values = values.reshape(2, 5, 2, 2)
    expected = np.zeros((2, 5, 2, 2))
    for b, i, n in np.ndindex(2, 5, 2):
        weights = softmax(keys[b, :, n] @ queries[b, i, n])
        expected[b, i, n] = weights @ values[b, :, n]
    assert_close(layer(x), expected.reshape(2, 5, 4) + float64(layer.bias))


@pytest.mark.parametrize("shape", [(2, 5, 3), (2, 2, 3, 3), (2, 2, 2, 2, 3)])
def test_with_constant_affinity_it_is_dense_on_all_positions(shape):
    x = draw(*shape)
    ours = built(x, units=4, affinity="constant")
    flat = x.reshape(2, -1)
    dense = keras.layers.Dense(4)
    dense.build(flat.shape)
    dense.set_weights([to_numpy(ours.kernel).reshape(-1, 4), to_numpy(ours.bias)])
    one = to_numpy(dense(flat)).reshape(2, *[1] * (len(shape) - 2), 4)
    assert_close(ours(x), one + np.zeros((*shape[:-1], 4), "float32"))


def test_with_equal_transforms_it_is_self_attention():
    x = draw(2, 5, 3)
    ours = built(x, units=4, num_heads=2, use_bias=False)
    value = draw(3, 4, seed=5)
    ours.kernel.assign(np.stack([value] * 5))
    theirs = keras.layers.MultiHeadAttention(2, 2, use_bias=False, output_shape=4)
    theirs.build(x.shape, x.shape)
    kernels = (to_numpy(ours.query_kernel) * 2**0.5, to_numpy(ours.key_kernel), value)
    joined = np.eye(4).reshape(2, 2, 4)
    theirs.set_weights([*(k.reshape(3, 2, 2) for k in kernels), joined])
    assert_close(ours(x), to_numpy(theirs(x, x)))


def test_the_number_of_positions_must_be_known():
    with pytest.raises(ValueError, match="all axes but the batch must be known"):
        PositionAttention(units=4)(keras.Input((None, 3)))


def test_another_size_than_it_was_built_for():
    layer = built(draw(2, 5, 3), units=4)
    with pytest.raises(ValueError, match=r"weights for \(5,\) positions.*\(2, 6, 3\)"):
        layer(draw(2, 6, 3))
