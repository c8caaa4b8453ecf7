"""Laws about what a layer is given: whole numbers, masks of numbers, other sizes."""

import keras
import numpy as np
import pytest
from keras import tree

from keras_fusion import layers
from tests.conftest import assert_close, to_numpy
from tests.layers.attention.mixing_cases import MIXING_CASES, each_mixing
from tests.layers.cases import WIDTH, draw, each_case, each_operator, query_for

WHOLE = pytest.mark.parametrize("dtype", ["uint8", "int32"])


def whole(x, dtype):
    """Numbers from 0 to 250, of which uint8 can hold no sum."""
    return np.abs(100 * x).clip(0, 250).astype(dtype)


@WHOLE
@each_case
def test_whole_numbers_are_taken_as_numbers(case, dtype):
    inputs = [whole(x, dtype) for x in case.inputs()]
    floats = [x.astype("float32") for x in inputs]
    op = case.operator(floats)
    query = query_for(op, floats)
    found, expected = op(inputs, **query), op(floats, **query)
    for a, b in zip(tree.flatten(found), tree.flatten(expected), strict=True):
        assert_close(a, b)


@WHOLE
@each_mixing
def test_whole_numbers_into_layers_of_one_tensor(case, dtype):
    layer, inputs = case.layer(), whole(case.inputs(), dtype)
    found = case.call(layer, inputs)
    assert_close(found, case.call(layer, inputs.astype("float32")))


@WHOLE
@pytest.mark.parametrize("name", ["SequenceJitter", "VideoJitter"])
def test_whole_numbers_are_varied_as_numbers(name, dtype):
    config = {"scale": 0.0, "offset": 0.0} if name == "SequenceJitter" else {}
    layer = getattr(layers, name)(seed=1, **config)
    clips = np.full((2, 4, 6, 6, 1), 200, dtype)
    for training in (False, True):
        assert_close(layer(clips, training=training), np.full(clips.shape, 200.0))


@WHOLE
@pytest.mark.parametrize(
    "name",
    [
        "ClassToken",
        "PositionEmbedding",
        "ResidualMLP",
        "TokenAttention",
        "TokenConvolution",
    ],
)
def test_whole_numbers_as_tokens(name, dtype):
    layer, tokens = getattr(layers, name)(), whole(draw(2, 5, 4), dtype)
    floats = layer(tokens.astype("float32"))
    assert_close(layer(tokens), floats)


@each_case
def test_a_mask_of_floats_is_refused(case):
    """torch's has 0 where to keep and -inf where not: as bool it says the contrary."""
    inputs = case.inputs()
    op = case.operator(inputs)
    query = query_for(op, inputs)
    masks = [np.where(x[..., 0] > 0, 0, -np.inf).astype("float32") for x in inputs]
    with pytest.raises(ValueError, match="expects mask to be bool.*mask == 0"):
        op(inputs, mask=masks, **query)
    there = np.ones((3, len(inputs)), "float32")
    with pytest.raises(ValueError, match="expects modality_mask to be bool"):
        op(inputs, modality_mask=there, **query)


@pytest.mark.parametrize(
    "case", [c for c in MIXING_CASES if c.axes and c.name != "ChannelScale"], ids=str
)
def test_a_mask_of_floats_is_refused_by_layers_of_one_tensor(case):
    layer, inputs = case.layer(), case.inputs()
    with pytest.raises(ValueError, match="expects mask to be bool"):
        layer(inputs, mask=np.zeros(inputs.shape[:2], "float32"))


@each_case
def test_a_mask_of_zeros_and_ones_is_as_good_as_bool(case):
    inputs = case.inputs()
    op = case.operator(inputs)
    query = query_for(op, inputs)
    there = np.ones((3, len(inputs)), bool)
    there[0, 1:] = False
    found = op(inputs, modality_mask=there.astype("int32"), **query)
    expected = op(inputs, modality_mask=there, **query)
    for a, b in zip(tree.flatten(found), tree.flatten(expected), strict=True):
        assert_close(a, b)


@pytest.mark.only_on("torch", reason="no backend changes it")
@each_operator
def test_other_widths_than_those_it_was_built_for(name):
    op = layers.get(name)(units=WIDTH)
    inputs = [draw(2, 3, WIDTH), draw(2, 3, 5)]
    op(inputs)
    other = [inputs[0], draw(2, 3, 1)]
    if op.weights:
        with pytest.raises(ValueError, match="widths .4, 5.; received widths .4, 1."):
            op(other)


@pytest.mark.parametrize("built, given", [(5, 7), (5, 1), (1, 7)])
def test_positions_for_another_number_of_tokens(built, given):
    layer = layers.PositionEmbedding()
    layer(draw(2, built, 4))
    with pytest.raises(ValueError, match="incompatible"):
        layer(draw(2, given, 4))


def test_a_scale_for_another_number_of_channels():
    layer = layers.ChannelScale()
    layer(draw(2, 5, 4))
    with pytest.raises(ValueError, match="incompatible"):
        layer(draw(2, 5, 1))


def test_dropping_modalities_keeps_the_masks_of_tokens():
    first, second = np.ones((2, 4, 3), "float32"), draw(2, 5, 3)
    first[1, 2:] = 0
    masked = keras.layers.Masking()(first)
    streams, there = layers.ModalityDropout(0.5)([masked, second])
    kept = to_numpy(streams[0]._keras_mask).astype(bool)
    np.testing.assert_array_equal(kept, first[..., 0] > 0)
    for x in (streams[1], there):
        assert getattr(x, "_keras_mask", None) is None


def test_a_joint_of_no_confidence_is_not_there():
    joints = np.random.default_rng(0).uniform(100, 200, (1, 4, 5, 3))
    joints[..., 2] = 1
    undetected, unknown = joints.copy(), joints.copy()
    undetected[0, 1, 2], unknown[0, 1, 2] = 0, np.nan
    layer = layers.JointHeatmaps(size=(16, 16))
    assert_close(layer(undetected), layer(unknown))


@pytest.mark.only_on("torch", "tensorflow", reason="JAX has no float64 by default")
def test_float64_is_computed_in_float64():
    """Without a matmul, which Keras itself computes in float32 on torch."""
    inputs = [np.random.default_rng(m).normal(size=(4, 6)) for m in range(2)]
    op = layers.ScalarWeighting(constraint="convex", dtype="float64")
    op.build([x.shape for x in inputs])
    op.weighting.assign([0.3, -0.4])
    first = 1 / (1 + np.exp(-0.7))
    expected = first * inputs[0] + (1 - first) * inputs[1]
    fused = keras.ops.convert_to_numpy(op(inputs))
    np.testing.assert_allclose(fused, expected, rtol=1e-12)
