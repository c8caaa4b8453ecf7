import keras
import numpy as np
import pytest

from keras_fusion.export.cases import cases_for
from keras_fusion.export.signatures import (
    classes_output,
    signature_arrays,
    signatures_of,
)
from tests.conftest import assert_close
from tests.export.models import masked_model, ones, plain_model


def asked(model, **arrays):
    (case,) = cases_for(signatures_of(model), arrays)[:1]
    return case.expected


def test_answers_are_float32_by_layer_or_key():
    model = plain_model()
    answered = asked(model, x=ones())
    assert list(answered) == model.output_names
    assert answered[model.output_names[0]].dtype == np.float32
    x = keras.Input((3,), name="x")
    by_key = keras.Model({"x": x}, {"b": x * 2.0, "a": keras.ops.cast(x, "int32")})
    answered = asked(by_key, x=ones())
    np.testing.assert_array_equal(answered["b"], 2 * ones())
    assert answered["a"].dtype == np.float32


def test_a_mask_makes_two_of_each():
    signatures = signatures_of(masked_model())
    inputs = {name: list(signature.inputs) for name, signature in signatures.items()}
    rest, flags = ["rgb_d", "pose"], ["rgb_d_present", "pose_present"]
    assert inputs == {
        "serving_default": rest,
        "serving_masked": [*rest, *flags],
        "embedding": rest,
        "embedding_masked": [*rest, *flags],
    }


def test_embedding_is_what_the_last_layer_with_weights_takes():
    x = keras.Input((3,), name="x")
    hidden = keras.layers.Dense(4, activation="tanh", name="hidden")(x)
    dropped = keras.layers.Dropout(0.5)(hidden)
    logits = keras.layers.Dense(2)(dropped)
    model = keras.Model({"x": x}, keras.ops.softmax(keras.layers.ReLU()(logits)))
    answer = signatures_of(model)["embedding"].answer
    expected = model.get_layer("hidden")(ones())
    assert_close(
        answer({"x": keras.ops.convert_to_tensor(ones())})["embedding"], expected
    )


def test_an_output_called_embedding_is_a_signature_of_its_own():
    x = keras.Input((3,), name="x")
    outputs = {"embedding": x * 2.0, "probabilities": keras.layers.Softmax()(x)}
    model = keras.Model({"x": x}, outputs)
    tensor = {"x": keras.ops.convert_to_tensor(ones())}
    signatures = signatures_of(model)
    assert list(signatures["serving_default"].answer(tensor)) == ["probabilities"]
    assert_close(signatures["embedding"].answer(tensor)["embedding"], 2 * ones())


def two_heads(x):
    return keras.layers.Dense(2)(x) + keras.layers.Dense(2)(x * 2.0)


HEADLESS = {
    "nothing before the head": lambda x: keras.layers.Dense(2)(x),
    "no weights": lambda x: x * 2.0,
    "two heads": two_heads,
    "a model as head": lambda x: keras.Sequential([keras.layers.Dense(2)])(x * 2.0),
    "a head of two": lambda x: keras.layers.Dot(-1)([x, x * 2.0]),
    "two outputs": lambda x: {"a": keras.layers.Dense(2)(x * 2.0), "b": x},
}


@pytest.mark.parametrize("case", HEADLESS)
def test_no_embedding_where_no_single_tensor_is_one(case):
    x = keras.Input((3,), name="x")
    model = keras.Model({"x": x}, HEADLESS[case](x))
    assert list(signatures_of(model)) == ["serving_default"]


def test_which_output_names_the_class():
    x = keras.Input((3,), name="x")
    wide, two = keras.layers.Dense(4)(x), keras.layers.Dense(2)(x)
    outputs = {"weights": two, "probabilities": two + 1.0, "other": wide}
    model = keras.Model({"x": x}, outputs)
    assert classes_output(model, ["a", "b"]) == "probabilities"
    assert classes_output(model, list("abcd")) == "other"
    assert classes_output(plain_model(), ["a", "b"]).startswith("dense")
    with pytest.raises(ValueError, match="an output with 3 classes, one for each"):
        classes_output(model, list("abc"))
    own = keras.Model({"x": x}, {"classes": two})
    assert classes_output(own, ["a", "b"]) is None
    maps = keras.Input((4, 5, 2), name="x")
    assert classes_output(keras.Model({"x": maps}, maps * 2.0), ["a", "b"]) is None


@pytest.mark.parametrize("name", ["class", "self", "left eye", "_x", "één", "a:b"])
def test_names_that_tensorflow_cannot_hold(name):
    model = plain_model(name=name)
    given = signature_arrays(model, {name: ones()})
    (safe,) = given
    assert safe.isidentifier() and safe.isascii() and safe != name
    (case,) = cases_for(signatures_of(model), given)[:1]
    assert_close(case.expected[model.output_names[0]], model({name: ones()}))


def test_flags_are_the_columns_of_the_mask():
    arrays = {"rgb-d": ones(), "pose": ones(), "modality_mask": np.eye(2, dtype=bool)}
    given = signature_arrays(masked_model(), arrays)
    assert list(given) == ["rgb_d", "pose", "rgb_d_present", "pose_present"]
    assert given["rgb_d_present"].tolist() == [True, False]


def test_a_mask_needs_a_name_for_each_column():
    inputs = {
        "x": keras.Input((3,), name="x"),
        "modality_mask": keras.Input((2,), dtype="bool", name="modality_mask"),
    }
    with pytest.raises(ValueError, match=r"modality_mask has 2 columns.*\['x'\]"):
        signatures_of(keras.Model(inputs, inputs["x"] * 2.0))


def test_outputs_of_one_name_are_refused():
    x, dense = keras.Input((3,), name="x"), keras.layers.Dense(3)
    with pytest.raises(ValueError, match="return a dict"):
        signatures_of(keras.Model({"x": x}, [dense(x), dense(dense(x))]))
