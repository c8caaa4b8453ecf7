import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion import zoo
from tests.conftest import assert_close
from tests.zoo.samples import VECTORS, draw, randomize


def test_the_only_modality_needs_no_name():
    model = zoo.UnimodalClassifier({"a": (5,)}, 3)
    assert list(model.input) == ["a"]
    assert model.name == "a_classifier"


@pytest.mark.parametrize("modality", [None, "aa"])
def test_an_unknown_modality_lists_the_known(modality):
    with pytest.raises(ValueError, match="There are: a, b, c"):
        zoo.UnimodalClassifier(VECTORS, 3, modality=modality)


def test_late_fusion_is_the_mean_of_what_is_present():
    single = {
        m: randomize(zoo.UnimodalClassifier({m: shape}, 3, units=4), seed=i)
        for i, (m, shape) in enumerate(VECTORS.items())
    }
    model = zoo.LateFusionClassifier(VECTORS, 3, models=single, modality_mask=True)
    inputs = draw(VECTORS)
    each = [ops.convert_to_numpy(single[m]({m: x})) for m, x in inputs.items()]
    mask = np.array([[1, 1, 1], [0, 1, 1], [0, 0, 0]], bool)
    expected = [
        np.mean([y[0] for y in each], axis=0),
        (each[1][1] + each[2][1]) / 2,
        np.zeros(3),
    ]
    assert_close(model(inputs | {"modality_mask": mask}), np.stack(expected))


def test_late_fusion_trains_its_models_together():
    given = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4)])
    model = zoo.LateFusionClassifier(
        VECTORS, 3, units=4, encoders={"a": given}, dropout=0.0, modality_dropout=0.5
    )
    randomize(model)
    before = given.get_weights()[0].copy()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.train_on_batch(draw(VECTORS, rows=8), np.arange(8) % 3)
    assert np.any(given.get_weights()[0] != before)


def test_late_fusion_wants_a_model_for_each_modality():
    single = {"a": zoo.UnimodalClassifier({"a": (5,)}, 3)}
    with pytest.raises(ValueError, match=r"those of \['a', 'b', 'c'\].*\['a'\]"):
        zoo.LateFusionClassifier(VECTORS, 3, models=single)
