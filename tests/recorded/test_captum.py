"""Integrated gradients, against those of captum with 200 steps."""

import keras
import pytest

from keras_fusion.attribution import integrated_gradients
from tests.recorded.recording import affine, assert_recorded, assign_affine, read

DATA = read("captum")


def network():
    weights = read("captum", "weights/")
    inputs = {"a": keras.Input((4,), name="a"), "b": keras.Input((5,), name="b")}
    first, second, head = (keras.layers.Dense(units) for units in (6, 6, 3))
    hidden = keras.ops.tanh(first(inputs["a"]) * second(inputs["b"]))
    model = keras.Model(inputs, keras.ops.softmax(head(hidden)))
    for layer, name in {first: "first", second: "second", head: "head"}.items():
        assign_affine(layer, affine(weights, name))
    return model


@pytest.mark.parametrize("baseline", ["zeros", "others"])
def test_integrated_gradients(baseline):
    found = integrated_gradients(
        network(),
        {name: DATA[name].astype("float32") for name in "ab"},
        "a",
        target=DATA["target"],
        baseline=float(DATA[f"{baseline}/baseline"]),
    )
    assert_recorded(found.values, DATA[f"{baseline}/values"])
