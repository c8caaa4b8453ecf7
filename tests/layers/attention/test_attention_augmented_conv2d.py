import keras
import numpy as np
import pytest

from keras_fusion.layers import AttentionAugmentedConv2D
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import draw, randomize
from tests.layers.reference import float64, softmax


def built(x, **config):
    layer = AttentionAugmentedConv2D(**config)
    layer(x)
    return randomize(layer)


def test_numbers():
    """The attention part, one pair of pixels after the other."""
    x = draw(2, 3, 4, 5)
    layer = built(x, units=7, key_units=6, value_units=4, num_heads=2)
    names = ("query_kernel", "key_kernel", "value_kernel")
    q, k, v = (
        (float64(x) @ float64(getattr(layer, name))).reshape(2, 3, 4, 2, -1)
        for name in names
    )
    rows, columns = float64(layer.row_offsets), float64(layer.column_offsets)
    mixed = np.zeros((2, 3, 4, 2, 2))
    for b, r, c, n in np.ndindex(2, 3, 4, 2):
        logits = [
            q[b, r, c, n] @ (k[b, i, j, n] + rows[i - r + 2] + columns[j - c + 3])
            for i, j in np.ndindex(3, 4)
        ]
        weights = softmax(np.array(logits) / np.sqrt(3))
        mixed[b, r, c, n] = weights @ v[b, :, :, n].reshape(12, 2)
    expected = mixed.reshape(2, 3, 4, 4) @ float64(layer.output_kernel)
    assert_close(layer(x)[..., 3:], expected)


def test_the_first_channels_are_a_convolution():
    x = draw(2, 5, 4, 3)
    ours = built(x, units=6, value_units=2)
    convolution = keras.layers.Conv2D(4, 3, padding="same")
    convolution.build(x.shape)
    convolution.set_weights(ours.convolution.get_weights())
    assert_close(ours(x)[..., :4], to_numpy(convolution(x)))


def test_without_positions_the_others_are_self_attention():
    # Keys as wide as values: on JAX keras' own attention takes no others.
    x = draw(2, 3, 4, 5)
    ours = built(x, units=7, key_units=4, value_units=4, num_heads=2)
    for table in (ours.row_offsets, ours.column_offsets):
        table.assign(np.zeros(table.shape))
    theirs = keras.layers.MultiHeadAttention(2, 2, use_bias=False, output_shape=4)
    flat = x.reshape(2, 12, 5)
    theirs.build(flat.shape, flat.shape)
    names = ("query_kernel", "key_kernel", "value_kernel")
    kernels = [to_numpy(getattr(ours, name)).reshape(5, 2, -1) for name in names]
    theirs.set_weights([*kernels, to_numpy(ours.output_kernel).reshape(2, 2, 4)])
    expected = to_numpy(theirs(flat, flat)).reshape(2, 3, 4, 4)
    assert_close(ours(x)[..., 3:], expected)


def test_attention_cannot_take_all_channels():
    with pytest.raises(ValueError, match="value_units to be less than units=8"):
        AttentionAugmentedConv2D(8, value_units=8)


def test_another_size_than_it_was_built_for():
    layer = built(draw(2, 3, 4, 5), units=7, value_units=4)
    with pytest.raises(ValueError, match=r"weights for \(3, 4\) .* \(2, 4, 3, 5\)"):
        layer(draw(2, 4, 3, 5))


def test_a_window_larger_than_the_input():
    with pytest.raises(
        ValueError, match=r"window of \(5, 5\), larger than the \(3, 9\)"
    ):
        AttentionAugmentedConv2D(16, kernel_size=5)(draw(1, 3, 9, 4))
