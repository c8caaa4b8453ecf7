import keras
import numpy as np
import pytest

from keras_fusion.layers import LocalSelfAttention, OffsetAttention
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import draw, randomize
from tests.layers.reference import float64, softmax


def built(x, **config):
    layer = LocalSelfAttention(**config)
    layer(x)
    return randomize(layer)


def test_numbers_on_maps():
    """Pixel by pixel, head by head, over the pixels that are there."""
    x = draw(2, 3, 4, 5)
    layer = built(x, units=8, kernel_size=(3, 2), num_heads=2)
    kernels = (layer.query_kernel, layer.key_kernel, layer.value_kernel)
    q, k, v = ((float64(x) @ float64(w)).reshape(2, 3, 4, 2, 4) for w in kernels)
    rows, columns = (float64(r) for r in layer.relative)
    expected = np.zeros((2, 3, 4, 2, 4))
    for b, r, c, n in np.ndindex(2, 3, 4, 2):
        logits, values = [], []
        for i in (-1, 0, 1):
            for j in (0, 1):
                if 0 <= r + i < 3 and c + j < 4:
                    relative = np.concatenate([rows[i + 1, n], columns[j, n]])
                    logits.append(q[b, r, c, n] @ (k[b, r + i, c + j, n] + relative))
                    values.append(v[b, r + i, c + j, n])
        expected[b, r, c, n] = softmax(np.array(logits)) @ np.array(values)
    assert_close(layer(x), expected.reshape(2, 3, 4, 8))


def test_without_positions_it_is_masked_attention():
    """Keras' attention with a band for a mask, which is what we never build."""
    x = draw(2, 7, 5)
    ours = built(x, units=6, kernel_size=3, num_heads=2)
    ours.relative[0].assign(np.zeros(ours.relative[0].shape))
    theirs = keras.layers.MultiHeadAttention(2, 3, use_bias=False, output_shape=6)
    theirs.build(x.shape, x.shape)
    query, key, value = (to_numpy(w).reshape(5, 2, 3) for w in ours.weights[:3])
    theirs.set_weights([query * 3**0.5, key, value, np.eye(6).reshape(2, 3, 6)])
    place = np.arange(7)
    band = np.abs(place[:, None] - place) <= 1
    expected = theirs(x, x, attention_mask=np.stack([band, band]))
    assert_close(ours(x), to_numpy(expected))


def test_it_moves_with_its_input():
    x = draw(1, 12, 4)
    x[:, :4] = x[:, -4:] = 0
    layer = built(x, units=6, kernel_size=3)
    moved = layer(np.roll(x, 2, axis=1))
    assert_close(moved[:, 4:-1], to_numpy(layer(x))[:, 2:-3])


@pytest.mark.parametrize("make", [LocalSelfAttention, OffsetAttention])
def test_no_array_of_all_pairs(make):
    """Forty gigabytes, if there were one."""
    x = np.zeros((1, 100_000, 4), "float32")
    assert tuple(make(units=4, kernel_size=3)(x).shape) == x.shape


def test_a_window_larger_than_the_input():
    with pytest.raises(
        ValueError, match=r"window of \(7, 7\), larger than the \(5, 9\)"
    ):
        LocalSelfAttention(units=8)(draw(1, 5, 9, 4))


def test_heads_and_axes_share_the_units():
    with pytest.raises(ValueError, match="units=6 among num_heads=2 and 2 axes"):
        LocalSelfAttention(units=6, kernel_size=3, num_heads=2)(draw(1, 4, 4, 4))
