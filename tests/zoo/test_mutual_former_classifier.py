import keras
import numpy as np
import pytest

from keras_fusion import zoo
from tests.conftest import assert_close, to_numpy
from tests.zoo.samples import absent_as, draw, randomize

SHAPES = {"image": (8, 8, 1), "audio": (12, 12, 1)}
SIZES = {"image": 4, "audio": 6}  # four tokens each
SMALL = {"units": 4, "patch_size": SIZES, "depth": 1}


def build(shapes=SHAPES, classes=3, **arguments):
    return zoo.MutualFormerClassifier(shapes, classes, **SMALL | arguments)


def output(model, layer, x):
    return to_numpy(keras.Model(model.input, model.get_layer(layer).output)(x))


def test_a_patch_is_a_token_at_its_place():
    model = randomize(build())
    x = draw(SHAPES)
    kernel, bias = map(to_numpy, model.get_layer("image_projection").weights)
    places = to_numpy(model.get_layer("image_positions").weights[0])
    second = x["image"][:, :4, 4:].reshape(3, -1) @ kernel.reshape(16, 4) + bias
    assert_close(output(model, "image_positions", x)[:, 1], second + places[1])


@pytest.mark.parametrize("readout", ["pool", "token"])
@pytest.mark.parametrize("stem", ["patch", "convolution"])
def test_stems_and_readouts(stem, readout):
    sizes = SIZES if stem == "patch" else {"image": 4, "audio": 8}  # padded to 16
    model = randomize(build(stem=stem, readout=readout, patch_size=sizes))
    tokens = 4 + (readout == "token")
    assert model.get_layer("audio_positions").output.shape == (None, tokens, 4)
    x = draw(SHAPES)
    outputs = to_numpy(model(x))
    np.testing.assert_allclose(outputs.sum(axis=-1), 1, rtol=1e-5)
    for name in SHAPES:
        moved = to_numpy(model(x | {name: 2 * x[name]}))
        assert np.abs(moved - outputs).max() > 1e-4


def test_the_token_is_what_is_read():
    model = randomize(build(readout="token", include_top=False))
    x = draw(SHAPES)
    fused = keras.Model(model.input, model.get_layer("fusion").output[0])(x)
    assert_close(model(x), fused[:, 0])


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize(
    "fusion", ["CrossAttention", "JointAttention", "ModalityTransformer", "Summation"]
)
@pytest.mark.parametrize("readout", ["pool", "token"])
def test_other_operators_in_the_same_network(fusion, readout):
    model = randomize(build(fusion=fusion, readout=readout, depth=2))
    assert model(draw(SHAPES)).shape == (3, 3)


def test_sequences_vectors_and_given_encoders():
    given = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5)])
    shapes = {"text": (7, 3), "pose": (6,)}
    model = zoo.MutualFormerClassifier(
        shapes, 2, units=4, fusion="JointAttention", encoders={"pose": given}
    )
    assert model.get_layer("text_positions").output.shape == (None, 7, 4)
    assert model.get_layer("pose_positions").output.shape == (None, 1, 4)
    assert model(draw(shapes)).shape == (3, 2)


def test_what_is_absent_changes_nothing():
    model = randomize(build(modality_mask=True))
    mask = np.array([[1, 1], [1, 0], [0, 1]], bool)
    x = draw(SHAPES)
    nan, other = (model(absent_as(f, x, mask)) for f in (np.nan, 1e9))
    np.testing.assert_array_equal(to_numpy(nan), to_numpy(other))
    assert np.isfinite(to_numpy(nan)).all()
    without = randomize(build())
    assert_close(nan[:1], without(x)[:1])


def test_one_modality_alone():
    model = randomize(build({"image": (8, 8, 1)}, patch_size=4))
    assert model(draw({"image": (8, 8, 1)})).shape == (3, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"patch_size": 4},
            "as many tokens in every modality; image has 4, audio has 9",
        ),
        (
            {"patch_size": {"image": 4}},
            r"one for each of the maps \['image', 'audio'\]",
        ),
        ({"patch_size": 0}, "positive integer; received 0"),
        ({"patch_size": 2.0}, "positive integer; received 2.0"),
        ({"stem": "convolution"}, "power of two; received 6 for 'audio'"),
        ({"stem": "resnet"}, r"stem must be one of \['patch', 'convolution'\]"),
        ({"readout": "mean"}, r"readout must be one of \['pool', 'token'\]"),
        ({"encoder_depth": -1}, "encoder_depth"),
        ({"encoders": {"zz": None}}, r"encoders for \['zz'\]"),
        ({"classes": 1}, "softmax is always 1"),
        (
            {"fusion": {"class_name": "MutualFormerBlock", "config": {"num_heads": 3}}},
            "num_heads=3: choose a divisor",
        ),
        (
            {"fusion": {"class_name": "MutualFormerBlock", "config": {"epsilon": 1}}},
            "epsilon",
        ),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        build(**arguments)


def test_sequences_of_unknown_length_have_no_places():
    with pytest.raises(ValueError, match="known number T"):
        zoo.MutualFormerClassifier({"a": (None, 3), "b": (None, 3)}, 2, units=4)
