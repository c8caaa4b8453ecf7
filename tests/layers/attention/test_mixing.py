"""The laws that every layer of one tensor obeys, in every configuration."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion import layers
from keras_fusion.common.gradients import with_gradients
from tests.conftest import assert_close, to_numpy, tried_here
from tests.layers.attention.mixing_cases import (
    EDGES,
    MIXING,
    MIXING_CASES,
    SHAPES,
    each_mixing,
)
from tests.layers.cases import WIDTH, draw, randomize
from tests.layers.saving import (
    check_another_backend,
    check_saved_model,
    check_saved_weights,
)

WITH_KERNELS = [case for case in MIXING_CASES if case.name != "ChannelScale"]
FREE = [  # of how many positions there are
    case
    for case in MIXING_CASES
    if case.name not in ("AttentionAugmentedConv2D", "PositionAttention")
]


def test_every_layer_is_in_the_table():
    everything = {name: getattr(layers, name) for name in layers.__all__}
    places = (".attention.", ".graph.")
    mixing = {
        name
        for name, layer in everything.items()
        if any(place in layer.__module__ for place in places)
    }
    assert mixing == set(MIXING)
    assert not mixing & set(layers.operators())


@each_mixing
def test_every_weight_and_the_input_get_a_gradient(case):
    layer = case.layer()

    def probe(arrays):
        outputs = case.call(layer, arrays[0], training=True)
        factors = ops.convert_to_tensor(draw(*outputs.shape, seed=3))
        return ops.sum(outputs * factors), outputs

    _, found = with_gradients(probe, layer.trainable_variables)([case.inputs()])
    assert len(found) == 1 + len(layer.weights)
    assert all(g.any() and np.isfinite(g).all() for g in found)


@pytest.mark.only_on("torch", reason="rows meet in no kernel of a backend")
@each_mixing
def test_a_batch_is_its_samples_one_by_one(case):
    layer, inputs = case.layer(), case.inputs()
    if not case.is_graph:
        together = layer(inputs, training=True)
        alone = [layer(inputs[n : n + 1], training=True) for n in range(3)]
    else:  # two graphs side by side are one graph
        other = draw(*SHAPES[0], seed=2)
        edges = np.concatenate([EDGES, EDGES + len(inputs)], axis=1)
        together = layer(np.concatenate([inputs, other]), edges)
        alone = [layer(x, EDGES) for x in (inputs, other)]
    assert_close(together, np.concatenate([to_numpy(y) for y in alone]))


@each_mixing
def test_the_promised_shape(case):
    layer, inputs = case.layer(), case.inputs()
    promised = layer.compute_output_shape(inputs.shape)
    assert tuple(case.call(layer, inputs).shape) == promised


@pytest.mark.parametrize("dtype", tried_here(["float16", "bfloat16"]))
@each_mixing
def test_mixed_precision_is_close_to_float32(case, dtype):
    low = case.layer(dtype=f"mixed_{dtype}")
    assert all(weight.dtype == "float32" for weight in low.weights)
    outputs = case.call(low, case.inputs())
    assert keras.backend.standardize_dtype(outputs.dtype) == dtype
    expected = to_numpy(case.call(case.layer(), case.inputs()))
    scale = max(1.0, np.abs(expected).max())  # sums of many terms cancel
    assert_close(to_numpy(outputs) / scale, expected / scale, dtype)


@each_mixing
def test_float16_is_finite_where_the_true_value_fits(case):
    low = case.call(case.layer(dtype="mixed_float16"), 100 * case.inputs())
    full = case.call(case.layer(), 100 * case.inputs())
    if np.abs(to_numpy(full)).max() < 3e4:
        assert np.isfinite(to_numpy(low)).all()


MASKED = [c for c in MIXING_CASES if c.axes and c.name != "ChannelScale"]


@pytest.mark.parametrize("case", MASKED, ids=str)
def test_what_a_mask_leaves_out_has_no_influence(case):
    """Whatever stands there; a sample that it leaves whole is as without it."""
    layer, x = case.layer(), case.inputs()
    mask = np.ones(x.shape[:2], bool)
    mask[1, -1] = mask[2] = False
    outputs = []
    for filler in (0, 7, np.nan):
        filled = x.copy()
        filled[~mask] = filler
        outputs.append(to_numpy(layer(filled, mask=mask)))
    assert np.isfinite(outputs[0]).all()
    for other in outputs[1:]:
        assert_close(other[mask], outputs[0][mask])
    assert_close(outputs[0][0], to_numpy(layer(x))[0])
    assert layer.compute_mask(x, mask) is mask


@pytest.mark.parametrize(
    "case", [c for c in MASKED if c.axes == 1 and c in FREE], ids=str
)
def test_padding_that_is_masked_is_no_padding(case):
    layer, x = case.layer(), case.inputs()
    mask = np.tile(np.arange(5) < 4, (3, 1))
    assert_close(layer(x, mask=mask)[:, :4], to_numpy(layer(x[:, :4])))


def museum(cases=MIXING_CASES, known=True):
    """One functional model that shows a layer of every case."""
    inputs = {"edges": keras.Input(batch_shape=(2, None), dtype="int32", name="edges")}
    for axes, shape in SHAPES.items():
        positions = shape[1:-1] if known else [None] * axes
        inputs[f"x{axes}"] = keras.Input((*positions, WIDTH), name=f"x{axes}")
    outputs = []
    for number, case in enumerate(cases):
        layer, x = case.new(name=f"layer{number}"), inputs[f"x{case.axes}"]
        outputs += [layer(x, inputs["edges"]) if case.is_graph else layer(x)]
    return randomize(keras.Model(inputs, outputs))


def visit(model):
    """All outputs of the museum, as numpy arrays."""
    arrays = {f"x{axes}": draw(*shape) for axes, shape in SHAPES.items()}
    return [to_numpy(y) for y in model(arrays | {"edges": EDGES})]


@pytest.fixture(scope="module")
def model():
    return museum()


def test_functional_models_keep_static_shapes(model):
    for output, y in zip(model.outputs, visit(model), strict=True):
        assert output.shape == (None, *y.shape[1:])


def test_the_number_of_positions_may_be_unknown():
    model = museum(FREE, known=False)
    for number, (case, output) in enumerate(zip(FREE, visit(model), strict=True)):
        layer = model.get_layer(f"layer{number}")
        assert_close(output, case.call(layer, draw(*SHAPES[case.axes])))


def test_a_saved_model_gives_the_same_outputs(model, tmp_path):
    check_saved_model(model, visit, tmp_path)


def test_saved_weights_give_the_same_outputs(model, tmp_path):
    check_saved_weights(model, visit, tmp_path)


@pytest.mark.slow
def test_another_backend_gives_the_same_outputs(model, tmp_path):
    check_another_backend(model, visit, tmp_path)


@pytest.mark.parametrize("case", WITH_KERNELS, ids=str)
def test_the_configuration_survives(case):
    layer = case.new(
        name="layer",
        dtype=keras.DTypePolicy("mixed_bfloat16"),
        kernel_initializer=keras.initializers.RandomUniform(-0.25, 0.25),
        kernel_regularizer=keras.regularizers.L2(0.125),
    )
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    assert config["registered_name"] == f"keras_fusion>{case.name}"
    again = keras.saving.deserialize_keras_object(config)
    assert keras.saving.serialize_keras_object(again) == config
    plain = type(layer).from_config(layer.get_config())
    assert keras.saving.serialize_keras_object(plain) == config


@pytest.mark.parametrize("case", WITH_KERNELS, ids=str)
def test_initializer_and_regularizer_reach_every_kernel(case):
    layer = case.new(
        kernel_initializer=keras.initializers.Constant(0.5),
        kernel_regularizer=keras.regularizers.L2(0.125),
    )
    for made in (layer, type(layer).from_config(layer.get_config())):
        case.call(made, case.inputs())
        kernels = [to_numpy(w) for w in made.weights if "kernel" in w.name]
        if case.name == "NonLocalBlock":  # is the identity at first
            assert not kernels.pop().any()
        assert kernels and all(np.all(k == 0.5) for k in kernels)
        penalty = sum(0.125 * np.sum(k**2) for k in kernels)
        np.testing.assert_allclose(to_numpy(sum(made.losses, 0.0)), penalty, rtol=1e-5)


@each_mixing
def test_inputs_that_do_not_fit(case):
    layer = case.new()
    shape = (2, 3, 4) if case.is_graph else (2, 3, 3, 3, 3, 4)
    with pytest.raises(ValueError, match="expects .* received"):
        case.call(layer, draw(*shape))
