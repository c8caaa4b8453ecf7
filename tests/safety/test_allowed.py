"""What a file may name: the list is complete, and nothing gets past it."""

import inspect

import keras
import pytest

from keras_fusion import layers
from keras_fusion.safety import allowed
from tests.export.models import Doubling


def of_keras(name, module="keras.layers", config=None):
    found = {"class_name": name, "module": module, "config": config or {}}
    return found | {"registered_name": None}


def function(name, module="builtins"):
    return of_keras("function", module, name)


def nested(found):
    """`found` in a list, as a layer's argument, in a model, in a model."""
    wrapper = of_keras("TimeDistributed", config={"layer": found})
    model = of_keras("Functional", "keras.src.models.functional", {"layers": [wrapper]})
    return of_keras("Sequential", "keras", {"layers": [[1, model]]})


def test_every_layer_of_keras_is_on_one_list():
    classes = {n for n, c in vars(keras.layers).items() if inspect.isclass(c)}
    known = allowed.PURE_LAYERS | allowed.REFUSED_LAYERS
    assert classes - known == set(), "is it pure? put it on a list of allowed.py"
    assert not allowed.PURE_LAYERS & allowed.REFUSED_LAYERS


HOSTILE = [
    *(of_keras(name) for name in sorted(allowed.REFUSED_LAYERS)),
    *(function(name) for name in sorted(allowed.REFUSED_LAYERS)),
    of_keras("TFSMLayer", "keras.src.export.tfsm_layer"),
    of_keras("Lambda", "keras.src.layers.core.lambda_layer"),
    of_keras("Lambda", module=None),
    of_keras("Sequential", "os"),
    of_keras("Dense", "keras_hub.layers"),
    of_keras("__lambda__", "builtins"),
    function("Dense"),
    function("load_model"),
    function("get_file", "keras.utils"),
    function("system", "os"),
    of_keras("SomethingNew"),
    of_keras("StringLookup", config={"vocabulary": "/etc/passwd"}),
]


@pytest.mark.parametrize("wrap", [lambda x: x, nested], ids=["bare", "nested"])
@pytest.mark.parametrize("found", HOSTILE, ids=str)
def test_what_runs_code_or_reads_files_is_refused(found, wrap):
    with pytest.raises(allowed.Unsafe, match="a.keras (names|has)"):
        allowed.check(wrap(found), "a.keras")


def test_what_models_are_made_of_is_taken():
    x = keras.Input((4, 3), name="x")
    y = keras.layers.TimeDistributed(keras.layers.Dense(3, activation="gelu"))(x)
    y = keras.layers.Bidirectional(keras.layers.LSTM(2, kernel_regularizer="l2"))(y)
    y = layers.Averaging(units=3)([keras.ops.exp(y) * 2, Doubling()(y)])
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model = keras.Model({"x": x}, inner(y))
    rate = keras.optimizers.schedules.CosineDecay(0.1, 10)
    model.compile(
        keras.optimizers.AdamW(rate),
        [keras.losses.MeanSquaredError()],
        ["mae", keras.metrics.RootMeanSquaredError()],
    )
    config = keras.saving.serialize_keras_object(model)
    allowed.check(config, "it")
    mixed = keras.layers.Dense(2, dtype="mixed_bfloat16")
    allowed.check(keras.saving.serialize_keras_object(mixed), "it")
