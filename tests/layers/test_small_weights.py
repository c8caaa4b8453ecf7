"""Quantized weights and LoRA stay after saving, for every operator."""

import keras
import numpy as np
import pytest

from keras_fusion import layers
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import WIDTH, each_operator, modalities, randomize

# Keras says so of every layer that has no weights to quantize.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Layer .* `quantize` method implemented"),
    pytest.mark.filterwarnings("ignore:`model.quantize..`. .* skipped"),  # Keras 3.16
    pytest.mark.only_on("torch", reason="it compiles nothing, so it takes a minute"),
    pytest.mark.slow,
]

CHANGES = {"int8": 0.05, "int4": 0.6}  # of the largest output, at the most


def fusing(name):
    """A functional model of an operator that projects, and what it is called with."""
    inputs = [keras.Input((3, WIDTH), name=f"x{m}") for m in range(2)]
    op = layers.get(name)(units=6, name="fusion")
    return randomize(keras.Model(inputs, op(inputs))), modalities(2, (2, 3, WIDTH))


def check_saved(model, inputs, folder):
    model.save(folder / "model.keras")
    again = keras.saving.load_model(folder / "model.keras")
    assert_close(again.predict(inputs, verbose=0), model.predict(inputs, verbose=0))
    return again


@pytest.mark.parametrize("mode", CHANGES)
@each_operator
def test_a_quantized_operator_saves_loads_and_predicts(name, mode, tmp_path):
    model, inputs = fusing(name)
    exact = to_numpy(model(inputs))
    model.quantize(mode)
    quantized = [w for w in model.weights if str(w.dtype) == "int8"]
    assert quantized
    again = check_saved(model, inputs, tmp_path)
    assert len([w for w in again.weights if str(w.dtype) == "int8"]) == len(quantized)
    change = np.abs(to_numpy(again(inputs)) - exact).max() / np.abs(exact).max()
    assert 0 < change < CHANGES[mode]


@each_operator
def test_lora_trains_beside_every_dense(name, tmp_path):
    model, inputs = fusing(name)
    before = to_numpy(model(inputs))
    parts = model.get_layer("fusion")._flatten_layers(include_self=False)
    found = [part for part in parts if isinstance(part, keras.layers.Dense)]
    assert found
    for dense in found:
        dense.enable_lora(2)
    assert_close(model(inputs), before)  # the added product begins as zero
    for dense in found:
        dense.lora_kernel_b.assign(np.ones(dense.lora_kernel_b.shape))
    assert np.abs(to_numpy(model(inputs)) - before).max() > 1e-3
    check_saved(model, inputs, tmp_path)
