import keras
import numpy as np
import pytest

from keras_fusion.layers import NonLocalBlock
from tests.conftest import assert_close, to_numpy
from tests.layers.attention.mixing_cases import AFFINITIES
from tests.layers.cases import draw, randomize
from tests.layers.reference import float64, softmax


def built(x, **config):
    layer = NonLocalBlock(**config)
    layer(x)
    return randomize(layer)


@pytest.mark.parametrize("affinity", AFFINITIES)
@pytest.mark.parametrize("shape", [(2, 5, 4), (2, 2, 3, 4), (2, 2, 2, 2, 4)])
def test_numbers(affinity, shape):
    inputs = draw(*shape)
    layer = built(inputs, affinity=affinity, units=3)
    x = float64(inputs.reshape(2, -1, 4))
    queries = keys = x
    if affinity != "gaussian":
        queries, keys = x @ float64(layer.query_kernel), x @ float64(layer.key_kernel)
    f = queries @ keys.swapaxes(1, 2)
    if affinity == "concatenation":
        w = float64(layer.affinity_kernel)
        pairs = (queries @ w[:, :1]) + (keys @ w[:, 1:]).swapaxes(1, 2)
        f = np.maximum(pairs, 0)
    weights = softmax(f) if affinity.endswith("gaussian") else f / x.shape[1]
    y = weights @ (x @ float64(layer.value_kernel)) @ float64(layer.output_kernel)
    assert_close(layer(inputs), (x + y).reshape(shape))


def test_the_embedded_gaussian_is_self_attention():
    x = draw(2, 5, 4)
    ours = built(x, units=3)
    keras_own = keras.layers.MultiHeadAttention(1, 3, use_bias=False)
    keras_own.build(x.shape, x.shape)
    query, key, value, output = (to_numpy(w) for w in ours.weights)
    query = query * 3**0.5  # Keras divides the logits by it
    own = [k[:, None] for k in (query, key, value)]
    keras_own.set_weights([*own, output[None]])
    assert_close(ours(x), x + to_numpy(keras_own(x, x)))


def test_its_projections_are_convolutions_of_size_one():
    x = draw(2, 3, 4, 4)
    ours = built(x, units=3, affinity="dot_product")
    names = ("query_kernel", "key_kernel", "value_kernel")
    projected = []
    for name in names:
        convolution = keras.layers.Conv2D(3, 1, use_bias=False)
        convolution.build(x.shape)
        convolution.set_weights([to_numpy(getattr(ours, name))[None, None]])
        projected.append(to_numpy(convolution(x)).reshape(2, 12, 3))
    queries, keys, values = projected
    y = queries @ keys.swapaxes(1, 2) / 12 @ values @ to_numpy(ours.output_kernel)
    assert_close(ours(x), x + y.reshape(x.shape))


def test_a_new_block_is_the_identity():
    x = draw(2, 3, 4, 4)
    assert_close(NonLocalBlock()(x), x)


def test_an_unknown_affinity():
    with pytest.raises(ValueError, match="affinity to be one of"):
        NonLocalBlock(affinity="cosine")
