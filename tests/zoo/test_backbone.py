"""Backbones by name: what they do to their input, what they are read from."""

import inspect
import json
import sys
import types

import h5py
import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion import zoo
from keras_fusion.common.errors import InputError
from keras_fusion.safety import allowed
from keras_fusion.zoo.parts import applications
from keras_fusion.zoo.parts.described import described, name_of, resolved
from tests.conftest import assert_close, to_numpy

SMALL = "keras_applications:MobileNetV3Small"
MODULES = ("vgg16", "mobilenet_v2", "densenet", "efficientnet", "resnet", "convnext")


@pytest.fixture
def file(tmp_path):
    """A network of pictures with a norm, in a `.keras` file."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, strides=2, data_format="channels_last"),
            layers.BatchNormalization(),
        ],
        name="own",
    )
    model.save(tmp_path / "net.keras")
    return str(tmp_path / "net.keras")


def pictures(*shape):
    return np.random.default_rng(0).uniform(0, 255, shape).astype("float32")


@pytest.mark.parametrize(
    "build",
    [
        zoo.FusionClassifier,
        zoo.EvidentialClassifier,
        zoo.MultimodalTransformer,
        lambda shapes, classes, **options: zoo.DualEncoder(shapes, **options),
    ],
    ids=["fusion", "evidential", "transformer", "dual"],
)
def test_every_builder_takes_a_network_that_is_named(build, file):
    shapes, rows = {"scan": (8, 8, 3), "steps": (4, 2)}, np.zeros((2, 4, 2), "float32")
    model = build(shapes, 3, encoders={"scan": file}, units=8, modality_mask=True)
    there = np.array([[True, True], [False, True]])
    inputs = {"scan": pictures(2, 8, 8, 3), "steps": rows, "modality_mask": there}
    first = keras.tree.flatten(model(inputs))[0]
    inputs["scan"][1] = np.nan
    np.testing.assert_array_equal(
        to_numpy(keras.tree.flatten(model(inputs))[0]), to_numpy(first)
    )


@pytest.mark.parametrize("module", MODULES)
def test_colors_are_prepared_as_keras_itself_prepares_them(module):
    prepare = getattr(keras.applications, module).preprocess_input
    x = pictures(2, 4, 5, 3)
    colors = keras.Input((4, 5, 3))
    model = keras.Model(colors, applications.prepared(colors, prepare))
    expected = prepare(x.copy(), data_format="channels_last")
    assert_close(model(x), expected)


def test_every_network_of_keras_is_known():
    functions = {
        name
        for name, found in vars(keras.applications).items()
        if inspect.isfunction(found)
    }
    assert set(applications._known()) == functions


@pytest.mark.slow
@pytest.mark.only_on("torch", reason="weights are copied alike on each")
def test_a_gray_picture_is_one_of_three_equal_channels():
    gray = pictures(2, 32, 32, 1)
    one = zoo.backbone(SMALL, (32, 32, 1), weights="none")
    three = zoo.backbone(SMALL, (32, 32, 3), weights="none")
    three.set_weights(one.get_weights())
    expected = three(np.repeat(gray, 3, axis=-1), training=False)
    assert_close(one(gray, training=False), expected)


@pytest.mark.slow
@pytest.mark.only_on("torch", reason="Keras freezes alike on each")
def test_a_frozen_network_stays_as_it_is_and_another_learns():
    shapes = {"scan": (32, 32, 3), "age": (2,)}
    inputs = {"scan": pictures(4, 32, 32, 3), "age": pictures(4, 2)}
    for trainable in (False, True):
        said = {"backbone": SMALL, "weights": "none", "trainable": trainable}
        model = zoo.FusionClassifier(shapes, 2, units=4, encoders={"scan": said})
        network = model.get_layer("scan_backbone")
        before = [x.copy() for x in network.get_weights()]
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.train_on_batch(inputs, np.array([0, 1, 0, 1]))
        moved = [
            not np.array_equal(*pair) for pair in zip(before, network.get_weights())
        ]
        assert any(moved) == trainable


def test_a_file_prepares_its_input_itself(file):
    x = pictures(2, 8, 8, 3)
    model = zoo.backbone(file, (8, 8, 3))
    whole = keras.saving.load_model(file)
    assert_close(model(x), whole(x))
    assert model.name == "backbone" and not model.trainable
    random = zoo.backbone(file, (8, 8, 3), weights="none")
    assert np.ptp(to_numpy(random(x)) - to_numpy(whole(x))) > 1e-3


def test_weights_come_from_a_file_of_their_own(file, tmp_path):
    other = zoo.backbone(file, (8, 8, 3), weights="none")
    path = str(tmp_path / "own.weights.h5")
    other.save_weights(path)
    x = pictures(2, 8, 8, 3)
    assert_close(zoo.backbone(file, (8, 8, 3), weights=path)(x), other(x))
    (tmp_path / "own.weights.h5").write_bytes(b"none")
    with pytest.raises(InputError, match="own.weights.h5 holds no weights"):
        zoo.backbone(file, (8, 8, 3), weights=path)
    with h5py.File(path, "w") as weights:
        weights["layers"] = h5py.ExternalLink("/elsewhere", "/")
    with pytest.raises(allowed.Unsafe, match="own.weights.h5 holds a link"):
        zoo.backbone(file, (8, 8, 3), weights=path)


def test_two_of_one_kind_have_weights_of_their_own(file):
    shapes = {"left": (8, 8, 3), "right": (8, 8, 3)}
    model = zoo.FusionClassifier(shapes, 2, encoders=dict.fromkeys(shapes, file))
    names = {layer.name for layer in model.layers}
    assert {name_of("left"), name_of("right")} <= names


def test_names_of_backbones_differ_where_modalities_are_spelled_alike():
    assert len({name_of(m) for m in ("a b", "a_b", "a-b")}) == 3


@pytest.mark.parametrize(
    "source, shape, words",
    [
        ("resnet", (8, 8, 3), "A backbone is .*received 'resnet'"),
        ("keras_applications:ResNet5", (8, 8, 3), "Did you mean 'ResNet50'"),
        ("keras_applications:ResNet50", (8, 8, 2), r"takes pictures .*\(8, 8, 2\)"),
        ("keras_applications:ResNet50", (9,), r"takes pictures .*\(9,\)"),
        ("none.keras", (8, 8, 3), "There is no model none.keras"),
    ],
)
def test_what_cannot_be_one_is_said(source, shape, words):
    with pytest.raises(InputError, match=words):
        zoo.backbone(source, shape, weights="none")


def test_a_file_takes_its_own_shape_alone(file):
    with pytest.raises(InputError, match=r"takes rows of .*\(8, 8, 3\).*\(9, 8, 3\)"):
        zoo.backbone(file, (9, 8, 3))


def test_weights_are_one_of_three_things(file):
    with pytest.raises(InputError, match="must be .*received 'imagenet21k'"):
        zoo.backbone(file, (8, 8, 3), weights="imagenet21k")


def test_a_file_that_does_more_than_compute_is_refused(tmp_path):
    layer = keras.layers.Lambda(lambda x: x + 1)
    model = keras.Sequential([keras.Input((3,)), layer])
    model.save(tmp_path / "bad.keras")
    with pytest.raises(InputError, match="Lambda"):
        zoo.backbone(str(tmp_path / "bad.keras"), (3,))


def test_a_description_says_how_a_backbone_learns():
    said = {"backbone": "x", "trainable": "after:3 epochs", "learning_rate": 1e-5}
    found = described("scan", said)
    assert (found.trainable, found.after, found.learning_rate) == (True, 3, 1e-5)
    assert not described("scan", "x").trainable
    assert described("scan", [{"class_name": "Dense"}]) is None
    assert described("scan", {"class_name": "Dense"}) is None


@pytest.mark.parametrize(
    "said, words",
    [
        ({"trainable": True}, "must say `backbone`"),
        ({"backbone": "x", "rate": 1}, "must say `backbone` and may say"),
        ({"backbone": "x", "trainable": "after:0 epochs"}, 'true, false or "after'),
        ({"backbone": "x", "trainable": "soon"}, "trainable .*received 'soon'"),
        ({"backbone": "x", "learning_rate": 0}, "a number above 0; received 0"),
        ({"backbone": 1}, "backbone .* must be a text; received 1"),
        ({"backbone": "x", "weights": True}, "weights .* must be a text"),
    ],
)
def test_a_wrong_description_is_said(said, words):
    with pytest.raises(ValueError, match=words):
        resolved({"scan": said}, {"scan": (8, 8, 3)})


def test_without_keras_hub_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(ImportError, match=r'pip install "keras-fusion\[text\]"'):
        zoo.backbone("keras_hub:resnet_18_imagenet", (8, 8, 3))


def test_a_folder_of_keras_hub_is_read_before_it_is_built(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", types.ModuleType("keras_hub"))
    source = f"keras_hub:{tmp_path}"
    with h5py.File(tmp_path / "model.weights.h5", "w") as weights:
        weights["layers"] = h5py.ExternalLink("/elsewhere", "/")
    with pytest.raises(allowed.Unsafe, match="model.weights.h5 holds a link"):
        zoo.backbone(source, (8, 8, 3))
    layer = {"class_name": "Lambda", "module": "keras.layers", "config": {}}
    outer = {"class_name": "Sequential", "module": "keras", "config": {"layers": layer}}
    (tmp_path / "config.json").write_text(json.dumps(outer))
    with pytest.raises(allowed.Unsafe, match="config.json names 'Lambda'"):
        zoo.backbone(source, (8, 8, 3))


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    """Folders of a network of pictures and one of token ids, as KerasHub saves them."""
    hub = pytest.importorskip("keras_hub", reason="KerasHub is an extra")
    folder = tmp_path_factory.mktemp("presets")
    stages = {"filters": [64, 64], "blocks": [1, 1], "strides": [1, 2]}
    pictures = hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        block_type="basic_block",
        image_shape=(None, None, 3),
        **{f"stackwise_num_{key}": value for key, value in stages.items()},
    )
    pictures.save_to_preset(str(folder / "pictures"))
    scale = hub.layers.ImageConverter(image_size=(8, 8), scale=1 / 255, offset=-0.5)
    scale.save_to_preset(str(folder / "pictures"))
    texts = hub.models.BertBackbone(
        vocabulary_size=20,
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=8,
        max_sequence_length=16,
    )
    texts.save_to_preset(str(folder / "texts"))
    return folder, pictures


@pytest.mark.slow
def test_a_preset_of_keras_hub_scales_pictures_as_it_was_trained(presets):
    folder, own = presets
    x = pictures(2, 8, 8, 3)
    model = zoo.backbone(f"keras_hub:{folder}/pictures", (8, 8, 3))
    assert_close(model(x), own(x / 255 - 0.5, training=False))
    with pytest.raises(InputError, match=r"takes pictures .*\(8, 8, 2\)"):
        zoo.backbone(f"keras_hub:{folder}/pictures", (8, 8, 2))


def test_a_file_of_token_ids_and_padding_takes_the_ids(tmp_path):
    inputs = [
        keras.Input((6,), dtype="int32", name=n) for n in ("token_ids", "padding_mask")
    ]
    kept = ops.cast(inputs[1], "float32")[..., None]
    file = tmp_path / "texts.keras"
    words = keras.layers.Embedding(20, 4)(inputs[0]) * kept
    keras.Model({x.name: x for x in inputs}, words).save(file)
    model = zoo.FusionClassifier(
        {"text": (6,), "age": (2,)}, 2, units=4, encoders={"text": str(file)}
    )
    assert model.input["text"].dtype == "int32"
    inputs = {"text": np.array([[3, 4, 0, 0, 0, 0]]), "age": np.zeros((1, 2))}
    assert np.isfinite(to_numpy(model(inputs))).all()


@pytest.mark.slow
def test_a_preset_of_keras_hub_takes_token_ids(presets):
    source = f"keras_hub:{presets[0]}/texts"
    model = zoo.FusionClassifier(
        {"text": (16,), "age": (2,)}, 2, units=4, encoders={"text": source}
    )
    assert model.input["text"].dtype == "int32"
    ids = np.arange(32).reshape(2, 16) % 20
    inputs = {"text": ids, "age": np.zeros((2, 2), "float32")}
    assert np.isfinite(to_numpy(model(inputs))).all()
