import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_fusion import zoo
from keras_fusion.attribution import integrated_gradients
from tests.conftest import assert_close
from tests.zoo.samples import VECTORS, draw, randomize

WORDS = np.array([[1, 2, 3, 0], [4, 4, 1, 2]], "int32")


def square(name, shape, dtype="float32", first=()):
    """`F = (w . x + 1)^2` of one modality, and w."""
    x = keras.Input(shape, name=name, dtype=dtype)
    encoder = keras.Sequential([*first, layers.Flatten()], name=f"{name}_encoder")
    line = layers.Dense(1, use_bias=False)
    total = line(encoder(x)) + 1.0
    model = keras.Model({name: x}, {"square": ops.square(total), "line": total})
    return randomize(model), ops.convert_to_numpy(line.kernel)[:, 0]


def test_values_are_those_on_paper():
    model, w = square("a", (3,))
    x = draw({"a": (3,)}, rows=4)
    found = integrated_gradients(model, x, "a", output="square", baseline=0.5, steps=4)
    start, end = np.full(3, 0.5) @ w + 1, x["a"] @ w + 1
    expected = (x["a"] - 0.5) * w * (start + end)[:, None]
    assert_close(found.values, expected)
    np.testing.assert_allclose(found.base, np.full(4, start**2), rtol=1e-4)
    assert_close(found.whole, end**2)
    assert found.error.max() < 1e-3 and found.values.dtype == np.float64


def test_words_share_what_their_vectors_add():
    model, w = square("text", (4,), "int32", [layers.Embedding(5, 2)])
    found = integrated_gradients(model, {"text": WORDS}, "text", output="square")
    vectors = ops.convert_to_numpy(model.get_layer("text_encoder").layers[0].embeddings)
    shares = np.einsum("btd,td->bt", vectors[WORDS], w.reshape(4, 2))
    assert_close(found.values, shares * (shares.sum(axis=1, keepdims=True) + 2))
    again = integrated_gradients(model, {"text": WORDS}, "text", output="line")
    assert_close(again.values, shares)  # the layer is what it was before


def columns_and_a_picture():
    embedding = {"edges": [-1.0, 0.0, 2.0]}, {"codes": 4}
    table = [
        {"class_name": "ColumnEmbedding", "config": {"columns": [*embedding]}},
        {"class_name": "Flatten", "config": {}},
        {"class_name": "Dense", "config": {"units": 4}},
    ]
    model = zoo.FusionClassifier(
        {"table": (3,), "scan": (8, 8, 1), "b": (3,)},
        3,
        encoders={"table": table},
        fusion="SoftmaxGating",
        units=4,
        modality_mask=True,
    )
    rows = draw({"scan": (8, 8, 1), "b": (3,)}, rows=4)
    rows["table"] = np.array([[0.5, 0, 3], [-2, 0, 1], [0, 1, 2], [3, 0, 2]], "float32")
    rows["modality_mask"] = np.ones((4, 3), bool)
    rows["modality_mask"][1] = False, True, True
    rows["modality_mask"][2] = True, False, True
    rows["scan"][2] = np.nan
    return randomize(model), rows


@pytest.mark.parametrize("name, shape", [("table", (2,)), ("scan", (8, 8, 1))])
def test_a_row_is_complete_and_what_is_absent_adds_nothing(name, shape):
    model, rows = columns_and_a_picture()
    found = integrated_gradients(model, rows, name, steps=64)
    assert found.values.shape == (4, *shape)
    added = found.values.reshape(4, -1).sum(axis=1)
    answers = ops.convert_to_numpy(model(rows))
    assert_close(found.whole, answers.max(axis=1))
    assert (found.target == answers.argmax(axis=1)).all()
    np.testing.assert_allclose(found.base + added, found.whole, atol=5e-3)
    assert_close(found.error, np.abs(found.whole - found.base - added))
    absent = {"table": 1, "scan": 2}[name]
    assert not found.values[absent].any() and np.abs(added).max() > 0.01


def test_a_target_and_rows_that_are_all_nan():
    model = randomize(zoo.FusionClassifier(VECTORS, 3, units=4, modality_mask=True))
    rows = draw(VECTORS)
    rows["a"][1] = np.nan
    found = integrated_gradients(model, rows, "a", target=[2, 0, 1])
    assert found.target.tolist() == [2, 0, 1] and not found.values[1].any()
    one = integrated_gradients(model, rows, "a", target=2)
    assert_close(one.values[0], found.values[0])


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_what_does_not_fit_is_named():
    model = zoo.FusionClassifier(VECTORS, 3, units=4)
    with pytest.raises(ValueError, match=r"a modality of \['a', 'b', 'c'\]; .* 'd'"):
        integrated_gradients(model, draw(VECTORS), "d")
    with pytest.raises(ValueError, match=r"unknown \['d'\]"):
        integrated_gradients(model, draw(VECTORS | {"d": (1,)}), "a")
    model, _ = square("a", (3,))
    with pytest.raises(ValueError, match="to be one of .*; received None"):
        integrated_gradients(model, draw({"a": (3,)}), "a")
    model, _ = square("text", (4,), "int32")
    with pytest.raises(ValueError, match="'text' holds int32 codes"):
        integrated_gradients(model, {"text": WORDS}, "text", output="line")
