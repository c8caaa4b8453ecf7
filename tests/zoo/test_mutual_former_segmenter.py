import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion import zoo
from keras_fusion.common.gradients import with_gradients
from keras_fusion.losses import SaliencyLoss
from keras_fusion.zoo.parts.decoder import from_patches, patches
from tests.conftest import assert_close, to_numpy
from tests.zoo.samples import absent_as, draw, randomize

SHAPES = {"rgb": (32, 48, 3), "depth": (32, 48, 1)}
ODD = {"rgb": (21, 30, 3), "depth": (21, 30, 1)}


def build(shapes=ODD, classes=1, **arguments):
    settings = {"units": 8, "encoder_depth": 0}
    return zoo.MutualFormerSegmenter(shapes, classes, **settings | arguments)


def test_patches_are_pixels_side_by_side():
    x = np.arange(2 * 4 * 6 * 2, dtype="float32").reshape(2, 4, 6, 2)
    image = keras.Input((4, 6, 2))
    cut = patches(image, 2, 3)
    model = keras.Model(image, [cut, from_patches(cut, 2, 3)])
    found, back = map(to_numpy, model(x))
    np.testing.assert_array_equal(found[1, 1, 0], x[1, 2:4, 0:3].ravel())
    np.testing.assert_array_equal(back, x)


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("shapes", [SHAPES, ODD], ids=["divisible", "padded"])
def test_logits_at_the_size_of_the_input(shapes, classes):
    model = randomize(build(shapes, classes))
    outputs = to_numpy(model(draw(shapes)))
    assert outputs.shape == (3, *shapes["rgb"][:2], classes)
    assert outputs.min() < 0 < outputs.max()


def test_padding_is_as_if_the_image_went_on_in_zeros():
    odd, even = randomize(build(ODD)), randomize(build(SHAPES))
    x = draw(ODD)
    wide = {m: np.pad(v, ((0, 0), (0, 11), (0, 2), (0, 0))) for m, v in x.items()}
    padded = build({m: v.shape[1:] for m, v in wide.items()})
    padded.set_weights(odd.get_weights())
    assert_close(odd(x), padded(wide)[:, :21, :30])
    assert len(even.weights) == len(odd.weights)  # no weight depends on the size


def test_activation():
    logits = randomize(build(classes=3))
    shares = randomize(build(classes=3, classifier_activation="softmax"))
    x = draw(ODD)
    assert_close(shares(x), ops.softmax(logits(x), axis=-1))


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize(
    "fusion",
    ["CrossAttention", "JointAttention", "ModalityTransformer", "AdaptiveWeighting"],
)
def test_other_operators_in_the_same_network(fusion):
    model = randomize(build(fusion=fusion, depth=2))
    x = draw(ODD)
    outputs = to_numpy(model(x))
    assert outputs.shape == (3, 21, 30, 1)
    for name in ODD:
        assert np.abs(to_numpy(model(x | {name: x[name] + 1})) - outputs).max() > 1e-4


def test_the_operator_is_at_the_coarse_scales_only():
    kinds = [type(build(fused_scales=n).get_layer("fusion_up_1")) for n in (1, 2)]
    assert [kind.__name__ for kind in kinds] == ["Concatenation", "MutualFormerBlock"]
    model = build()
    assert type(model.get_layer("fusion")).__name__ == "MutualFormerBlock"
    assert type(model.get_layer("fusion_up_2")).__name__ == "Concatenation"


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_far_pixels_reach_each_other_through_the_fusion():
    model = randomize(build(SHAPES))
    x = draw(SHAPES, rows=1)
    moved = {name: v.copy() for name, v in x.items()}
    moved["depth"][0, 0, 0] += 1
    change = np.abs(to_numpy(model(x)) - to_numpy(model(moved)))
    assert change[0, -1, -1, 0] > 1e-6


def test_what_is_absent_changes_neither_outputs_nor_gradients():
    model = randomize(build(modality_mask=True, modality_dropout=0.2))
    mask = np.array([[1, 1], [1, 0], [0, 1], [0, 0]], bool)

    def function(arrays, there):
        inputs = dict(zip(ODD, arrays, strict=True))
        outputs = model(inputs | {"modality_mask": ops.convert_to_tensor(there)})
        return ops.sum(outputs), outputs

    run = with_gradients(function, model.trainable_variables)
    x = draw(ODD, rows=4)
    results = []
    for filler in (np.nan, 1e30):
        filled = absent_as(filler, x, mask)
        outputs, gradients = run([filled[m] for m in ODD], there=mask)
        results.append([ops.convert_to_numpy(outputs), *gradients])
    for with_nan, with_number in zip(*results, strict=True):
        np.testing.assert_array_equal(with_nan, with_number)
        assert np.isfinite(with_nan).all()
    full = randomize(build())
    assert_close(results[0][0][:1], full(x)[:1])


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_samples_do_not_mix():
    model = randomize(build(encoder_depth=1))
    x = draw(ODD)
    alone = {name: v[1:2] for name, v in x.items()}
    assert_close(model(x)[1:2], model(alone))


def test_every_weight_moves_in_one_step():
    model = randomize(build(encoder_depth=1, depth=2))
    before = model.get_weights()
    eager = keras.backend.backend() == "tensorflow"
    model.compile("sgd", SaliencyLoss(window=3), run_eagerly=eager)
    x = draw(ODD)
    model.train_on_batch(x, (x["depth"][..., 0] > 0).astype("int32"))
    for weight, old in zip(model.weights, before, strict=True):
        assert np.any(to_numpy(weight.value) != old), weight.path


def test_saved_and_loaded(tmp_path):
    model = randomize(build())
    model.save(tmp_path / "model.keras")
    x = draw(ODD)
    assert_close(keras.models.load_model(tmp_path / "model.keras")(x), model(x))


def test_modality_weights_of_the_coarsest_scale():
    model = randomize(build())
    weights = zoo.modality_weights(model, draw(ODD))
    assert weights.shape == (3, 2)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.slow
def test_given_encoders():
    shapes = {"rgb": (40, 33, 3), "depth": (40, 33, 3)}
    models = keras.applications.MobileNetV3Small, keras.applications.EfficientNetB0
    options = {"include_top": False, "weights": None, "input_shape": (None, None, 3)}
    encoders = {name: make(**options) for name, make in zip(shapes, models)}
    model = build(shapes, encoders=encoders)
    assert model(draw(shapes)).shape == (3, 40, 33, 1)
    coarsest = [tuple(x.shape) for x in model.get_layer("fusion").input]
    assert coarsest == [(None, 4, 576), (None, 4, 1280)]  # 64 / 32 a side
    mixed = build(shapes, encoders={"rgb": encoders["rgb"]})
    assert mixed(draw(shapes)).shape == (3, 40, 33, 1)


def test_a_given_encoder_of_several_outputs():
    image = keras.Input((None, None, 1))
    fine = keras.layers.Conv2D(3, 4, strides=4)(image)
    coarse = keras.layers.Conv2D(5, 2, strides=2)(fine)
    given = keras.Model(image, [fine, coarse])
    model = build(encoders={"depth": given})
    assert [x.shape for x in model.get_layer("depth_encoder").output] == [
        (None, None, None, 3),
        (None, None, None, 5),
    ]
    assert model(draw(ODD)).shape == (3, 21, 30, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"shapes": {"rgb": (32, 48, 3), "depth": (32, 40, 1)}},
            r"one known size.*rgb is \(32, 48, 3\), depth is \(32, 40, 1\)",
        ),
        ({"shapes": {"rgb": (None, None, 3)}}, "one known size"),
        ({"shapes": {"rgb": (32, 48, 3), "pose": (3,)}}, r"pose is \(3,\)"),
        ({"classes": 0}, "positive integer; received 0"),
        ({"classifier_activation": "softmax"}, "softmax is always 1"),
        ({"fused_scales": 0}, "fused_scales must be from 1 to 3.*; received 0"),
        ({"fused_scales": 4}, "fused_scales must be from 1 to 3.*; received 4"),
        ({"encoder_depth": 1.0}, "encoder_depth must be 0 or more; received 1.0"),
        ({"encoder_depth": -1}, "encoder_depth"),
        ({"encoders": {"zz": None}}, r"encoders for \['zz'\]"),
        ({"fusion": "MutualFormer"}, "Did you mean 'MutualFormerBlock'"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        build(**arguments)


def test_given_encoders_without_a_common_scale():
    image = keras.Input((None, None, 1))
    odd = keras.Model(image, keras.layers.Conv2D(3, 3, strides=3)(image))
    with pytest.raises(ValueError, match="no map at stride 2, 4, 8, 16 or 32"):
        build(encoders={"depth": odd})
    coarse = keras.Model(image, keras.layers.Conv2D(3, 32, strides=32)(image))
    with pytest.raises(ValueError, match="no size in common"):
        build(encoders={"depth": coarse})
