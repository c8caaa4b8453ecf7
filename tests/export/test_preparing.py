import keras
import numpy as np
import pytest

from keras_fusion.export import export
from keras_fusion.export.preparing import config_of, custom_modules, prepared
from tests.conftest import assert_close
from tests.export.models import Nameless, Own, masked_model, ones, plain_model

RNG = np.random.default_rng(0)


def draw(*shape):
    return RNG.standard_normal(shape).astype("float32")


def test_a_functional_model_of_named_inputs_is_taken_as_it_is():
    model = masked_model()
    assert prepared(model) is model


def test_a_sequential_model():
    model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(2)])
    x = draw(3, 5)
    expected = model(x)
    served = prepared(model)
    (name,) = served.input
    assert_close(served({name: x}), expected)
    assert served.input[name].shape == (None, 5)


def test_a_list_of_inputs_goes_by_their_names():
    left, right = keras.Input((3,), name="left"), keras.Input((3,), name="right")
    model = keras.Model([left, right], keras.layers.Dense(2)(left - 3 * right))
    served, x = prepared(model), {"left": draw(2, 3), "right": draw(2, 3)}
    assert list(served.input) == ["left", "right"]
    assert_close(served(x), model([x["left"], x["right"]]))
    assert served.output_names == model.output_names


def test_a_subclassed_model_goes_by_the_keys_it_was_called_with():
    model, x = Own(), {"left": draw(2, 3), "right": draw(2, 3)}
    expected = model(x)["score"]
    served = prepared(model)
    assert served.input["left"].shape == (None, 3)
    assert_close(served(x)["score"], expected)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "bfloat16"])
def test_half_precision_gets_a_twin_in_float32(policy):
    x = keras.Input((3,), name="x", dtype=policy.removeprefix("mixed_"))
    hidden = keras.layers.Dense(4, dtype=policy, activation="tanh")(x)
    model = keras.Model({"x": x}, keras.layers.Dense(2, dtype=policy)(hidden))
    twin, rows = prepared(model), draw(5, 3)
    rows[0] = 65_520, -65_520, 1e9  # which are infinite in float16
    weights = [np.asarray(w, "float64") for w in model.get_weights()]
    hidden = np.tanh(rows @ weights[0] + weights[1])
    assert_close(twin({"x": rows}), (hidden @ weights[2] + weights[3]).astype("f"))
    assert twin.input["x"].dtype == "float32"
    assert all(layer.compute_dtype == "float32" for layer in twin.layers)
    assert model.layers[-1].dtype_policy.name == policy  # the model itself stays


def test_custom_layers_are_found_with_their_modules():
    modules = custom_modules(config_of(masked_model()))
    assert "tests.export.models" in modules
    assert all(not name.startswith("keras.") for name in modules)
    assert custom_modules(config_of(plain_model())) == set()


class Broken(Nameless):
    def get_config(self):
        raise NotImplementedError("no config\nhere")


def through(layer):
    x = keras.Input((3,), name="x")
    return keras.Model({"x": x}, layer(x))


BAD = {
    "no model": (lambda: "a", "There is no model a."),
    "number": (lambda: 3, "Expected a keras.Model or a .keras file; received 3."),
    "unbuilt": (
        lambda: keras.Sequential([keras.layers.Dense(2)]),
        "is not built: call",
    ),
    "subclassed": (Own, "is not built: call"),
    "not registered": (
        lambda: through(Nameless()),
        "'Nameless' in tests.export.models is not registered, so no other process",
    ),
    "lambda": (
        lambda: through(keras.layers.Lambda(lambda y: 2 * y, output_shape=(3,))),
        "holds a lambda",
    ),
    "no config": (
        lambda: through(Broken()),
        "cannot be saved, so it cannot be exported: no config here",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_exported(case, tmp_path):
    make, message = BAD[case]
    with pytest.raises(ValueError, match=message) as error:
        export(make(), tmp_path / "name")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "name").exists()


def test_a_registered_name_of_another_class_is_no_registration():
    model = plain_model()
    model({"x": ones()})
    config = config_of(model)
    config["config"]["layers"][-1] |= {"module": "mine", "registered_name": "Dense"}
    with pytest.raises(ValueError, match="'Dense' in mine is not registered"):
        custom_modules(config)
