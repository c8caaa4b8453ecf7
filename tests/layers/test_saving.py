"""Laws about functional models, configurations and files."""

import json

import keras
import numpy as np
import pytest
from keras import tree

from keras_fusion import layers
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import (
    CASES,
    QUERY_WIDTH,
    WIDTH,
    draw,
    each_case,
    modalities,
    query_for,
    randomize,
    some_absent,
)
from tests.layers.saving import (
    check_another_backend,
    check_saved_model,
    check_saved_weights,
)

FREE = [case for case in CASES if case.config.get("per") != "element"]


def museum(cases=CASES, tokens=2):
    """One functional model that shows an operator of every case, weights included."""
    inputs = [keras.Input((tokens, WIDTH), name=f"x{m}") for m in range(3)]
    query = keras.Input((tokens, QUERY_WIDTH), name="query")
    there = keras.Input((3,), dtype="bool", name="modality_mask")
    outputs = []
    for number, case in enumerate(cases):
        op = case.new(name=f"op{number}")
        call = {"query": query} if op.uses_query else {}
        asked = {"return_weights": True} if op.has_weights else {}
        count = op.max_modalities or 3
        call |= {"modality_mask": there[:, :count]}
        outputs += tree.flatten(op(inputs[:count], **call, **asked))
    model = keras.Model([*inputs, query, there], outputs)
    return randomize(model)


def visit(model):
    """All outputs of the museum, as numpy arrays."""
    arrays = [*modalities(), draw(3, 2, QUERY_WIDTH), some_absent(3)]
    return [to_numpy(y) for y in model(arrays)]


@pytest.fixture(scope="module")
def model():
    return museum()


def test_functional_models_keep_static_shapes(model):
    for output, y in zip(model.outputs, visit(model), strict=True):
        assert output.shape == (None, *y.shape[1:])


def test_the_number_of_tokens_may_be_unknown():
    model = museum(FREE, tokens=None)
    outputs = iter(visit(model))
    for number, case in enumerate(FREE):
        op = model.get_layer(f"op{number}")
        asked = {"return_weights": True} if op.has_weights else {}
        inputs = modalities(3)[: op.max_modalities]
        there = some_absent(3)[:, : op.max_modalities]
        query = query_for(op, inputs)
        expected = op(inputs, modality_mask=there, **query, **asked)
        for y in tree.flatten(expected):
            assert_close(next(outputs), y)
        assert case.name == type(op).__name__


def test_a_saved_model_gives_the_same_outputs(model, tmp_path):
    check_saved_model(model, visit, tmp_path)


def test_saved_weights_give_the_same_outputs(model, tmp_path):
    check_saved_weights(model, visit, tmp_path)


@pytest.mark.slow
def test_another_backend_gives_the_same_outputs(model, tmp_path):
    check_another_backend(model, visit, tmp_path)


@each_case
def test_the_configuration_survives(case):
    op = case.new(
        name="op",
        dtype=keras.DTypePolicy("mixed_bfloat16"),
        kernel_initializer=keras.initializers.RandomUniform(-0.25, 0.25),
        kernel_regularizer=keras.regularizers.L2(0.125),
    )
    config = keras.saving.serialize_keras_object(op)
    config = json.loads(json.dumps(config))
    assert config["registered_name"] == f"keras_fusion>{case.name}"
    again = keras.saving.deserialize_keras_object(config)
    assert keras.saving.serialize_keras_object(again) == config
    plain = type(op).from_config(op.get_config())
    assert keras.saving.serialize_keras_object(plain) == config
    assert all(getattr(again, name) == value for name, value in case.config.items())


def initializers(operator, init):
    """`init` in all the operator's arguments that are initializers of kernels."""
    return {name: init for name in operator().get_config() if "initializer" in name}


@each_case
def test_a_restored_operator_makes_the_same_kernels(case):
    """Initializer and regularizer reach every kernel, also of the restored operator."""
    op = case.new(
        **initializers(layers.get(case.name), keras.initializers.Constant(0.5)),
        kernel_regularizer=keras.regularizers.L2(0.125),
    )
    inputs = case.inputs()
    for made in (op, type(op).from_config(op.get_config())):
        made(inputs, **query_for(made, inputs))
        kernels = [w for w in made.weights if "kernel" in w.name]
        assert all(np.all(to_numpy(k) == 0.5) for k in kernels)
        penalty = sum(0.125 * np.sum(to_numpy(k) ** 2) for k in kernels)
        np.testing.assert_allclose(to_numpy(sum(made.losses, 0.0)), penalty, rtol=1e-5)


def test_kernels_of_one_operator_differ():
    """An initializer instance that is drawn from twice must not repeat itself."""
    init = keras.initializers.RandomNormal()
    for name in layers.operators():
        op = layers.get(name)(units=WIDTH, **initializers(layers.get(name), init))
        op([draw(3, 2, 5) for _ in range(3)][: op.max_modalities])
        kernels = [to_numpy(w) for w in op.weights if "kernel" in w.name]
        for number, kernel in enumerate(kernels):
            for other in kernels[:number]:
                assert not np.array_equal(kernel, other), name
