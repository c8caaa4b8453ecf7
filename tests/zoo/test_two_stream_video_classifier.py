import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion import zoo
from keras_fusion.datasets.standardization import measure, standardize
from keras_fusion.layers import JointHeatmaps, operators
from tests.conftest import assert_close, to_numpy
from tests.zoo.samples import absent_as, draw, randomize

SHAPES = {"frames": (3, 8, 12, 2), "skeleton": (3, 5, 2)}
HEATMAPS = {"skeleton": {"size": (8, 12)}}
SMALL = {"units": 8, "encoder_depth": 2, "heatmaps": HEATMAPS}
VOLUMES = {"a": (3, 8, 8, 2), "b": (3, 8, 8, 5), "c": (3, 8, 8, 1)}
ALIGNED = [name for name, op in operators().items() if op.takes == "aligned"]


def build(shapes=SHAPES, classes=3, **arguments):
    if "skeleton" not in shapes:
        arguments = {"heatmaps": None} | arguments
    return zoo.TwoStreamVideoClassifier(shapes, classes, **SMALL | arguments)


def test_both_streams_and_all_moments_count():
    model, x = randomize(build()), draw(SHAPES)
    outputs = to_numpy(model(x))
    assert_close(outputs.sum(axis=-1), np.ones(3))
    for name in SHAPES:
        for moment in range(3):
            moved = {n: values.copy() for n, values in x.items()}
            moved[name][:, moment, 1:3] += 0.5
            assert np.abs(to_numpy(model(moved)) - outputs).max() > 1e-4


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_heatmaps_inside_the_model_are_those_of_the_layer():
    x = draw(SHAPES)
    model = randomize(build())
    volumes = {"frames": SHAPES["frames"], "skeleton": (3, 8, 12, 5)}
    given = randomize(build(volumes, heatmaps=None))
    heat = to_numpy(JointHeatmaps((8, 12))(x["skeleton"]))
    assert_close(given(x | {"skeleton": heat}), model(x))


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize("pooling, counts", [("average", False), ("frames", True)])
def test_whether_it_counts_when_something_happens(pooling, counts):
    """A clip and the same one later, still before and after: no edge sees it."""
    shapes = {"a": (12, 8, 8, 2)}
    model = build(shapes, encoder_depth=1, pooling=pooling, include_top=False)
    model = randomize(model)
    early, late = np.zeros((2, 1, 12, 8, 8, 2), "float32")
    early[:, 3:5] = late[:, 7:9] = draw({"a": (2, 8, 8, 2)}, rows=1)["a"]
    outputs = [to_numpy(model({"a": x})) for x in (early, late)]
    assert (np.abs(outputs[0] - outputs[1]).max() > 1e-3) == counts
    if not counts:
        assert_close(*outputs)


def test_augmentation_is_for_training():
    jitter = [{"class_name": "VideoJitter", "config": {"shift": 0.5, "seed": 1}}]
    plain = randomize(build(VOLUMES, include_top=False))
    augmentation = {"b": jitter}
    model = randomize(build(VOLUMES, include_top=False, augmentation=augmentation))
    x = draw(VOLUMES)
    assert_close(model(x), plain(x))
    moved = to_numpy(model(x, training=True))
    assert np.abs(moved - to_numpy(plain(x, training=True))).max() > 1e-4


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_late_fusion_of_a_video_and_joints():
    """What is given by stream goes to its own model."""
    listed = [{"class_name": "AveragePooling3D", "config": {"pool_size": [3, 4, 4]}}]
    model = zoo.LateFusionClassifier(
        SHAPES,
        3,
        builder="TwoStreamVideoClassifier",
        encoders={"frames": listed},
        **SMALL,
    )
    single = [model.get_layer(f"{name}_classifier") for name in SHAPES]
    assert single[0].get_layer("frames_encoder")
    assert single[1].get_layer("skeleton_heatmaps")
    x = draw(SHAPES)
    each = [to_numpy(m({n: x[n] for n in m.input})["answer"]) for m in single]
    assert_close(model(x), (each[0] + each[1]) / 2)


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize("fusion", ALIGNED)
def test_any_aligned_operator_and_more_streams(fusion):
    model = build(VOLUMES, fusion=fusion, encoder_depth=1, include_top=False)
    assert model.output_shape == (None, 8)


APART = pytest.param(
    False, marks=pytest.mark.only_on("torch", reason="laterals do all that this does")
)


@pytest.mark.parametrize("lateral", [APART, True])
def test_what_is_absent_has_no_influence(lateral, tmp_path):
    mask = np.array([[1, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 0]], bool)
    x = draw(VOLUMES, rows=4)
    model = randomize(build(VOLUMES, lateral=lateral, modality_mask=True))
    filled = [to_numpy(model(absent_as(f, x, mask))) for f in (0, 1e6, np.nan)]
    for outputs in filled:
        np.testing.assert_array_equal(outputs, filled[0])
    path = str(tmp_path / "x.weights.h5")  # is the same with and without the mask
    model.save_weights(path)
    without = build(VOLUMES, lateral=lateral, weights=path)
    assert_close(filled[0][:1], without({n: v[:1] for n, v in x.items()}))


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_laterals_join_only_what_is_present():
    mask = np.array([[1, 0, 1]], bool)
    x = draw(VOLUMES, rows=1)
    model = randomize(build(VOLUMES, lateral=True, modality_mask=True))
    found, own, other = (
        keras.Model(model.input, model.get_layer(name).output)(
            x | {"modality_mask": mask}
        )
        for name in ("lateral_0_a_joined", "a_stage_0_output", "lateral_0_a_from_c")
    )
    assert_close(found, own + other)


def test_every_weight_moves_in_one_step():
    keras.utils.set_random_seed(0)
    model = randomize(build(VOLUMES, lateral=True))
    before = model.get_weights()
    eager = keras.backend.backend() != "tensorflow"
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=not eager)
    model.train_on_batch(draw(VOLUMES), np.array([0, 1, 2]))
    for weight, old in zip(model.weights, before, strict=True):
        assert np.any(to_numpy(weight.value) != old), weight.path


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_own_encoders_and_the_weights_of_the_streams():
    volume = keras.Input((3, 8, 12, 2))
    encoder = keras.Model(volume, ops.mean(volume, axis=(1, 2, 3)))
    listed = [{"class_name": "AveragePooling3D", "config": {"pool_size": [3, 4, 4]}}]
    model = build(encoders={"frames": encoder, "skeleton": listed})
    weights = zoo.modality_weights(model, draw(SHAPES))
    assert weights.shape == (3, 2)
    assert_close(weights.sum(axis=1), np.ones(3))


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_deployed_it_takes_raw_joints():
    raw = {name: 5 * x + 40 for name, x in draw(SHAPES, rows=5).items()}
    raw["skeleton"][1] = np.nan
    statistics = measure(raw)
    standardized, _ = standardize(raw, statistics)
    model = randomize(build(modality_mask=True))
    served = zoo.deployable(model, statistics)
    mask = np.ones((5, 2), bool)
    outputs = served(raw | {"modality_mask": mask})
    mask[1, 1] = False
    expected = model(standardized | {"modality_mask": mask})
    assert_close(outputs["probabilities"], expected)
    assert_close(outputs["modality_weights"][1], np.array([1.0, 0.0], "float32"))


def test_saved_with_heatmaps_and_laterals(tmp_path):
    model = randomize(build(lateral=True))
    model.save(tmp_path / "video.keras")
    loaded = keras.saving.load_model(tmp_path / "video.keras")
    x = draw(SHAPES)
    assert_close(loaded(x), to_numpy(model(x)))


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize(
    "shapes, arguments, words",
    [
        ({"a": (3, 16, 112, 112)}, {}, "'a'.*channels first"),
        ({"a": (17, 12, 56, 56)}, {}, "'a'.*channels first"),
        ({"a": (1, 12, 48, 64)}, {}, "'a'.*channels first"),
        ({"a": (17, 48, 56, 56)}, {}, "'a'.*channels first"),
        ({"a": (17, 32, 56, 56)}, {}, "'a'.*channels first"),
        ({"a": (3, 8, 8)}, {}, "'a' must be a volume.*heatmaps"),
        ({"a": (None, 8, 8, 1)}, {}, "'a' must be a volume"),
        (SHAPES, {"heatmaps": {"pose": {}}}, r"heatmaps for \['pose'\]"),
        (SHAPES, {"encoders": {"pose": None}}, r"encoders for \['pose'\]"),
        (SHAPES, {"augmentation": {"pose": []}}, r"layers for \['pose'\]"),
        (SHAPES, {"pooling": "max"}, "pooling.*'max'.*average, frames"),
        (SHAPES, {"fusion": "CrossAttention"}, "CrossAttention fuses sets of tokens"),
        (SHAPES, {"encoder_depth": 0}, "encoder_depth to be a positive"),
        (SHAPES, {"query": "pose"}, "query must name one of the inputs"),
        (
            {"a": (4, 8, 8, 1), "b": (8, 8, 8, 1)},
            {"lateral": True},
            r"equal \(T, H, W\).*'a': \(4, 4, 4\), 'b': \(8, 4, 4\)",
        ),
        (
            {"a": (4, 8, 8, 1), "b": (4, 8, 8, 1)},
            {"lateral": True, "encoders": {"a": []}},
            "Lateral connections are between the library's own stages",
        ),
    ],
)
def test_bad_arguments(shapes, arguments, words):
    with pytest.raises(ValueError, match=words):
        build(shapes, **arguments)


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize(
    "shape", [(12, 12, 16, 20), (16, 8, 8, 64), (1, 4, 4, 64), (17, 48, 48, 17)]
)
def test_volumes_of_many_channels_are_taken(shape):
    build({"a": shape}, encoder_depth=1)
