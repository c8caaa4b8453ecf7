import keras
import numpy as np
import pytest

from keras_fusion.layers import SinusoidalPositions
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import draw


@pytest.mark.parametrize("width", [1, 4, 5])
def test_numbers(width):
    x = draw(2, 300, width)
    half = -(-width // 2)
    angles = np.arange(300.0)[:, None] / 10000 ** (np.arange(half) / half)
    waves = np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)[:, :width]
    np.testing.assert_allclose(to_numpy(SinusoidalPositions()(x)), x + waves, atol=1e-4)


def test_any_length_and_half_precision():
    symbol = keras.Input((None, 4))
    model = keras.Model(symbol, SinusoidalPositions()(symbol))
    x = draw(1, 9, 4)
    assert_close(model(x)[:, :5], to_numpy(model(x[:, :5])))
    far = np.zeros((1, 3000, 4), "float32")  # bfloat16 has no 2999
    low = SinusoidalPositions(dtype="mixed_bfloat16")(far)
    assert_close(low, to_numpy(SinusoidalPositions()(far)), "float16")
