"""Weights per channel: each layer against Keras' own layers with the same weights."""

import keras
import numpy as np
import pytest

from keras_fusion.layers import (
    AdaptiveWeighting,
    ChannelScale,
    EfficientChannelAttention,
    SqueezeExcitation,
)
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import draw, randomize

SHAPES = [(3, 5, 8), (3, 4, 5, 8), (3, 2, 4, 3, 8)]
each_shape = pytest.mark.parametrize("shape", SHAPES)


def built(layer, x):
    layer(x)
    return randomize(layer)


@each_shape
def test_channel_scale_is_the_gamma_of_a_batch_normalization(shape):
    x = draw(*shape)
    ours = built(ChannelScale(), x)
    norm = keras.layers.BatchNormalization(center=False, epsilon=0.0)
    norm.build(shape)  # mean 0 and variance 1 before any training
    norm.gamma.assign(ours.gamma)
    assert_close(ours(x), to_numpy(norm(x, training=False)))


def test_channel_scale_starts_as_the_identity():
    x = draw(2, 3, 4)
    assert_close(ChannelScale()(x), x)


@each_shape
def test_squeeze_excitation_is_two_dense_layers_on_the_means(shape):
    x = draw(*shape)
    ours = built(SqueezeExcitation(ratio=2), x)
    rank = len(shape) - 2
    pool = getattr(keras.layers, f"GlobalAveragePooling{rank}D")()
    first = keras.layers.Dense(4, activation="relu")
    second = keras.layers.Dense(8, activation="sigmoid")
    second(first(pool(x)))
    first.set_weights(ours.squeeze.get_weights())
    second.set_weights(ours.excite.get_weights())
    weights = to_numpy(second(first(pool(x))))
    assert_close(ours(x), x * weights.reshape(3, *[1] * rank, 8))


def test_squeeze_excitation_is_adaptive_weighting_of_one_modality():
    x = draw(*SHAPES[1])
    ours = built(SqueezeExcitation(ratio=2), x)
    fusion = AdaptiveWeighting(gate="sigmoid", activation="relu", intermediate_dim=4)
    fusion([x])
    fusion.set_weights(ours.get_weights())
    assert_close(fusion([x]), to_numpy(ours(x)))


@each_shape
def test_efficient_channel_attention_is_a_convolution_along_the_channels(shape):
    x = draw(*shape)
    ours = built(EfficientChannelAttention(kernel_size=3), x)
    convolution = keras.layers.Conv1D(1, 3, padding="same", use_bias=False)
    means = x.mean(axis=tuple(range(1, x.ndim - 1)))[..., None]
    convolution.build(means.shape)
    convolution.set_weights(ours.get_weights())
    weights = 1 / (1 + np.exp(-to_numpy(convolution(means))))
    assert_close(ours(x), x * weights.reshape(3, *[1] * (x.ndim - 2), 8))


@pytest.mark.parametrize("channels, size", [(8, 3), (64, 3), (256, 5), (512, 5)])
def test_the_published_kernel_size(channels, size):
    layer = EfficientChannelAttention()
    layer.build((None, 4, channels))
    assert layer.convolution.kernel_size == (size,)


def test_an_even_kernel_has_no_middle():
    with pytest.raises(ValueError, match="odd positive integer; received 4"):
        EfficientChannelAttention(kernel_size=4)
