import gc
import importlib

import keras
import numpy as np
import pytest

from keras_fusion import layers, zoo
from tests.conftest import assert_close
from tests.zoo.samples import VECTORS, draw, randomize, shapes_for

modality_weights = importlib.import_module("keras_fusion.zoo.modality_weights")
MASK = np.array([[1, 1, 1], [0, 1, 1], [0, 0, 0]], bool)
WEIGHTED = [n for n, op in layers.operators().items() if op.has_weights]


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize("name", WEIGHTED)
def test_shares_of_what_is_present(name):
    operator = layers.get(name)
    shapes = shapes_for(operator)
    mask = MASK[:, : len(shapes)]
    model = zoo.FusionClassifier(
        shapes, 3, fusion=name, units=4, depth=2, modality_mask=True
    )
    shares = zoo.modality_weights(
        randomize(model), draw(shapes) | {"modality_mask": mask}
    )
    assert shares.shape == mask.shape
    assert np.all(shares >= 0)
    assert not np.any(shares[~mask])
    weighed = mask.sum(axis=-1) >= operator.min_modalities
    assert_close(shares.sum(axis=-1)[weighed], np.ones(weighed.sum(), "float32"))
    assert_close(shares[2], np.zeros(len(shapes), "float32"))


def test_shares_are_those_of_the_operator():
    fusion = {"class_name": "ScalarWeighting", "config": {"per": "modality"}}
    model = zoo.FusionClassifier(VECTORS, 3, fusion=fusion, units=4)
    (weights,) = model.get_layer("fusion").weights
    weights.assign([1.0, -2.0, 5.0])
    shares = zoo.modality_weights(model, draw(VECTORS))
    assert_close(shares, np.tile(np.float32([1, 2, 5]) / 8, (3, 1)))


def test_the_model_that_gives_them_is_built_once_and_goes_with_its_own():
    fusion = "ModalityAttention"
    model = randomize(zoo.FusionClassifier(VECTORS, 3, fusion=fusion, units=4))
    before = zoo.modality_weights(model, draw(VECTORS))
    weigher = modality_weights._WEIGHERS[model]
    randomize(model, seed=1)  # the weights are the model's own
    assert np.abs(zoo.modality_weights(model, draw(VECTORS)) - before).max() > 1e-3
    assert modality_weights._WEIGHERS[model] is weigher
    others = len(modality_weights._WEIGHERS)
    del model, weigher
    gc.collect()
    assert len(modality_weights._WEIGHERS) < others


def test_they_survive_a_file(tmp_path):
    model = zoo.FusionClassifier(
        VECTORS, 3, fusion="ModalityAttention", units=4, depth=2, modality_mask=True
    )
    inputs = draw(VECTORS) | {"modality_mask": MASK}
    expected = zoo.modality_weights(randomize(model), inputs)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_close(zoo.modality_weights(loaded, inputs), expected)
    assert np.ptp(expected[0]) > 0.01  # not just equal shares


@pytest.mark.parametrize("builder", ["LateFusionClassifier", "FusionClassifier"])
def test_models_without_weights_point_elsewhere(builder):
    how = {"fusion": "Summation"} if builder == "FusionClassifier" else {}
    model = zoo.builders()[builder](VECTORS, 3, **how)
    with pytest.raises(ValueError, match="attribution.shapley_values"):
        zoo.modality_weights(model, draw(VECTORS))


def test_inputs_are_checked_by_name():
    model = zoo.FusionClassifier(VECTORS, 3)
    inputs = draw(VECTORS)
    with pytest.raises(ValueError, match=r"missing \[\], unknown \['d'\]"):
        zoo.modality_weights(model, inputs | {"d": inputs["a"]})
    del inputs["b"]
    with pytest.raises(ValueError, match=r"missing \['b'\]"):
        zoo.modality_weights(model, inputs)
