import keras
import numpy as np
import pytest

from keras_fusion.layers import OffsetAttention
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import draw, randomize
from tests.layers.reference import float64, softmax


def built(x, **config):
    layer = OffsetAttention(**config)
    layer(x)
    return randomize(layer)


@pytest.mark.parametrize("num_heads", [1, 2])
@pytest.mark.parametrize(
    "shape, size",
    [
        ((2, 7, 3), 3),
        ((2, 7, 3), 4),
        ((2, 5, 6, 3), 3),
        ((2, 5, 6, 3), (2, 4)),
        ((2, 3, 4, 4, 3), (3, 2, 1)),
    ],
)
def test_with_constant_affinity_it_is_a_convolution(shape, size, num_heads):
    x = draw(*shape)
    config = {"kernel_size": size, "num_heads": num_heads}
    ours = built(x, units=4, affinity="constant", **config)
    rank = len(shape) - 2
    convolution = getattr(keras.layers, f"Conv{rank}D")(4, size, padding="same")
    convolution.build(shape)
    convolution.set_weights(ours.get_weights())
    assert_close(ours(x), to_numpy(convolution(x)))


def test_numbers():
    x = draw(2, 5, 3)
    layer = built(x, units=4, kernel_size=3, num_heads=2)
    queries = (float64(x) @ float64(layer.query_kernel)).reshape(2, 5, 2, 2)
    keys = (float64(x) @ float64(layer.key_kernel)).reshape(2, 5, 2, 2)
    kernel, bias = float64(layer.kernel), float64(layer.bias)
    expected = np.zeros((2, 5, 2, 2))
    for b, t, n in np.ndindex(2, 5, 2):
        seen = [o for o in (-1, 0, 1) if 0 <= t + o < 5]
        weights = softmax(
            np.array([queries[b, t, n] @ keys[b, t + o, n] for o in seen])
        )
        part = slice(2 * n, 2 * n + 2)
        taps = [x[b, t + o] @ kernel[o + 1][:, part] for o in seen]
        expected[b, t, n] = weights @ np.array(taps)
    assert_close(layer(x), expected.reshape(2, 5, 4) + bias)


def test_equal_features_weigh_equally():
    """Attention that cannot choose is the convolution, divided by the taps it has."""
    x = np.ones((1, 6, 3), "float32")
    ours = built(x, units=4, kernel_size=3, use_bias=False)
    convolution = keras.layers.Conv1D(4, 3, padding="same", use_bias=False)
    convolution.build(x.shape)
    convolution.set_weights([to_numpy(ours.kernel)])
    taps = np.array([2, 3, 3, 3, 3, 2])[None, :, None]
    assert_close(ours(x), to_numpy(convolution(x)) / taps)


def test_a_window_larger_than_the_input():
    with pytest.raises(ValueError, match="larger than the .* positions of its input"):
        OffsetAttention(units=4, kernel_size=5)(draw(1, 4, 3))


def test_a_window_for_another_rank():
    with pytest.raises(ValueError, match=r"one for each of the 1 axes.*\(3, 3\)"):
        OffsetAttention(units=4, kernel_size=(3, 3))(draw(1, 4, 3))
