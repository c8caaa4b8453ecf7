"""Models of small integers: every builder's are saved, loaded and exported."""

import keras
import numpy as np
import pytest

from keras_fusion import export, zoo
from tests.conftest import assert_close
from tests.zoo.every_builder import built, each_builder, with_others
from tests.zoo.samples import VECTORS, draw, randomize

# Keras says so of every layer that has no weights to quantize.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Layer .* `quantize` method implemented"),
    pytest.mark.filterwarnings("ignore:`model.quantize..`. .* skipped"),  # Keras 3.16
]


@pytest.mark.only_on("torch", reason="it compiles nothing")
@each_builder
def test_a_quantized_model_saves_and_loads(name, tmp_path):
    model, shapes = built(name, units=8)
    randomize(model)
    inputs = with_others(model, draw(shapes, rows=4))
    exact = keras.tree.flatten(model(inputs))[0]
    model.quantize("int4")
    assert any(str(weight.dtype) == "int8" for weight in model.weights)
    found = keras.tree.flatten(model(inputs))[0]
    assert np.abs(keras.ops.convert_to_numpy(found - exact)).max() > 0
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_close(keras.tree.flatten(again(inputs))[0], found)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_a_quantized_model_is_exported(mode, tmp_path):
    """The export compares the numbers of the SavedModel with the model's own."""
    options = {"units": 8, "modality_mask": True, "fusion": "ModalityAttention"}
    model = randomize(zoo.FusionClassifier(VECTORS, 3, **options))
    model.quantize(mode)
    version = export.export(model, tmp_path / "quantized")
    assert export.verify(version)["verified"]["cases"]
