"""The signature of the Shapley values, beside those of `attribution`."""

import keras
import numpy as np
import pytest

from keras_fusion import zoo
from keras_fusion.attribution import shapley_values
from keras_fusion.common.errors import InputError
from keras_fusion.export import export, signature
from keras_fusion.export.cases import tensors
from keras_fusion.export.contributions import contributions_of
from tests.conftest import assert_close

SHAPES = {"rgb-d": (4,), "pose": (3,), "word": (2,)}
FLAGS = ["rgb_d_present", "pose_present", "word_present"]
THERE = np.array([[1, 1, 1], [1, 0, 1], [0, 1, 0], [0, 0, 0]], bool)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    options = {"units": 4, "modality_mask": True, "modality_dropout": 0.2}
    return zoo.FusionClassifier(SHAPES, 3, **options)


def rows():
    rng = np.random.default_rng(0)
    return {
        name: rng.normal(size=(len(THERE), *shape)).astype("float32")
        for name, shape in SHAPES.items()
    }


def of_the_signature(arrays):
    named = {name.replace("-", "_"): x for name, x in arrays.items()}
    return named | dict(zip(FLAGS, THERE.T))


def expected_of(model):
    return shapley_values(model, rows() | {"modality_mask": THERE})


def test_the_values_are_those_of_attribution(model):
    found = contributions_of(model).answer(tensors(of_the_signature(rows())))
    (values,) = found.values()
    values, expected = keras.ops.convert_to_numpy(values), expected_of(model)
    assert values.shape == (4, 3, 3)
    assert np.abs(expected.values).max() > 0.01
    assert_close(values, expected.values)
    assert (values[~THERE] == 0).all()
    whole = model.predict(rows() | {"modality_mask": THERE}, verbose=0)
    assert_close(expected.base + values.sum(axis=1), whole)


def test_an_export_gives_them(model, tmp_path):
    pytest.importorskip("tensorflow")
    labels = ["a", "b", "c"]
    options = {"labels": labels, "formats": ["litert"], "contributions": True}
    written = export(model, tmp_path / "model", **options)
    (values,) = signature(written, "contributions")(of_the_signature(rows())).values()
    assert_close(values, expected_of(model).values)
    assert "classes" in signature(written)(of_the_signature(rows()))


def test_what_it_cannot_be_asked_is_said(model):
    plain = zoo.FusionClassifier(SHAPES, 3, units=4)
    with pytest.raises(InputError, match="needs a model with an input `modality_mask`"):
        contributions_of(plain)
    many = {f"m{i}": (2,) for i in range(9)}
    wide = zoo.FusionClassifier(many, 3, units=2, modality_mask=True)
    with pytest.raises(InputError, match="at most 8 modalities; this model has 9"):
        contributions_of(wide)
