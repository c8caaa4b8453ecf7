import keras
import numpy as np
import pytest

from keras_fusion.datasets import Split
from keras_fusion.tuning import trials


@pytest.mark.parametrize("count", [1, 64, 65, 200])
def test_the_outputs_of_a_trial_are_in_the_order_of_the_rows(count):
    inputs = {"x": np.arange(count, dtype="float32")[:, None]}
    x = keras.Input((1,), name="x")
    model = keras.Model({"x": x}, keras.layers.Rescaling(2.0)(x))
    split = Split(inputs, np.zeros(count, int), np.ones((count, 1), bool))
    outputs, latency = trials.predicted(model, split)
    np.testing.assert_allclose(outputs, 2 * inputs["x"])
    assert latency > 0
