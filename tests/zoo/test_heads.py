"""Heads of single modalities: one law over all builders that classify."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion import zoo
from keras_fusion.export import load
from keras_fusion.export.signatures import signatures_of
from keras_fusion.graphs import symmetric
from keras_fusion.layers.heads import HeadedModel, Heads
from tests.conftest import assert_close, to_numpy
from tests.zoo.samples import VECTORS, absent_as, draw, randomize

MAPS = {"rgb": (8, 8, 3), "depth": (8, 8, 1)}
VIDEOS = {"frames": (2, 8, 8, 3), "poses": (2, 8, 8, 1)}
BUILDERS = {
    "FusionClassifier": (
        VECTORS,
        {"depth": 2, "dropout": 0.0, "modality_dropout": 0.0},
    ),
    "GraphNodeClassifier": (
        {"words": (6,), "place": (3,)},
        {"fusion_stage": "late", "dropout": 0.0},
    ),
    "LateFusionClassifier": (VECTORS, {"dropout": 0.0}),
    "MutualFormerClassifier": (MAPS, {}),
    "TwoStreamVideoClassifier": (VIDEOS, {"encoder_depth": 1}),
}
CLASSES = 3
LABELS = np.array([0, 1, 2, 0, 1, 2])
MASK = np.array([[1, 1, 1], [0, 1, 1], [1, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 0]])
same = pytest.mark.only_on("torch", reason="no backend changes how heads are joined")
each_builder = pytest.mark.parametrize(
    "builder",
    [pytest.param(b, marks=same if b != "FusionClassifier" else []) for b in BUILDERS],
)


def build(builder, heads, **kwargs):
    shapes, arguments = BUILDERS[builder]
    model = zoo.builders()[builder](
        shapes, CLASSES, units=4, heads=heads, **(arguments | kwargs)
    )
    return randomize(model)


def rows(builder, filler=None):
    shapes, _ = BUILDERS[builder]
    inputs = draw(shapes, rows=len(LABELS))
    if filler is not None:
        inputs = absent_as(filler, inputs, MASK[:, : len(shapes)].astype(bool))
    if builder == "GraphNodeClassifier":
        inputs["edge_index"] = symmetric(np.array([[0, 1, 2, 4], [1, 2, 3, 5]]))
    return {name: ops.convert_to_tensor(x) for name, x in inputs.items()}


def step(model, inputs):
    """The loss of one step of training."""
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    if "edge_index" not in inputs:
        return model.train_on_batch(inputs, LABELS)
    batch = [(inputs, ops.convert_to_tensor(LABELS))]
    return model.fit(_Graph(batch), verbose=0).history["loss"][0]


class _Graph(keras.utils.PyDataset):
    def __init__(self, batch):
        super().__init__()
        self.batch = [tuple(map(as_arrays, part)) for part in batch]

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.batch[index]


def as_arrays(tree):
    return keras.tree.map_structure(ops.convert_to_numpy, tree)


def parts(model, inputs):
    """The fused prediction and those of the heads."""
    joined = model.get_layer("predictions").input
    count = len([x for x in model.input if x not in ("modality_mask", "edge_index")])
    outputs = keras.Model(model.input, joined[: 1 + count])(inputs)
    return [to_numpy(x) for x in outputs]


@each_builder
def test_every_weight_learns_in_one_step(builder):
    model = build(builder, "train")
    before = model.get_weights()
    step(model, rows(builder))
    for weight, old in zip(model.weights, before, strict=True):
        assert np.any(to_numpy(weight.value) != old), weight.path


@pytest.mark.only_on("torch", reason="no backend changes it")
@each_builder
def test_heads_alone_reach_every_encoder(builder):
    """With the fused prediction cut off, only the encoders and the heads learn."""
    model = build(builder, "train")
    fused = model.get_layer("predictions_fused")
    model.get_layer("predictions").call = cut_off(model.get_layer("predictions").call)
    before = {v.path: to_numpy(v.value).copy() for v in model.weights}
    step(model, rows(builder))
    moved = {v.path for v in model.weights if np.any(to_numpy(v) != before[v.path])}
    assert not moved & {v.path for v in fused.weights}
    for name in BUILDERS[builder][0]:
        assert any(name in path and "predictions" not in path for path in moved), moved


def cut_off(call):
    def without_gradient(*args, **kwargs):
        outputs = call(*args, **kwargs)
        return (
            ops.stop_gradient(outputs) + 0 * outputs
        )  # Keras warns where there is none

    return without_gradient


def test_the_loss_is_that_of_every_prediction_where_its_modality_is_present():
    model = build("FusionClassifier", "average", modality_mask=True)
    inputs = rows("FusionClassifier", filler=np.nan)
    fused, *alone = parts(model, inputs)
    right = np.arange(len(LABELS)), LABELS
    expected = -np.log(fused[right]).mean()
    for head, there in zip(alone, MASK.T, strict=True):
        expected += -(np.log(head[right]) * there).mean()
    assert_close(np.array(step(model, inputs)), np.array(expected))


def test_penalties_count_once():
    x = keras.Input((2,), name="x")
    dense = keras.layers.Dense(2, kernel_regularizer=keras.regularizers.L2(100.0))
    outputs = Heads("train")([keras.layers.Softmax()(dense(x))] * 3)
    model = HeadedModel({"x": x}, outputs)
    model.compile("sgd", "sparse_categorical_crossentropy")
    kernel = to_numpy(dense.kernel).copy()
    loss = model.train_on_batch({"x": np.zeros((4, 2))}, np.zeros(4))
    expected = 3 * np.log(2) + 100 * np.square(kernel).sum()
    assert_close(np.array(loss), np.array(expected, "float32"))


@each_builder
def test_an_average_is_over_what_is_present(builder):
    model = build(builder, "average", modality_mask=True)
    inputs = rows(builder, filler=np.nan)
    fused, *alone = parts(model, inputs)
    mask = MASK[:, : len(alone), None]
    if builder == "LateFusionClassifier":
        expected = fused
    else:
        total = fused + sum(x * there for x, there in zip(alone, mask.swapaxes(0, 1)))
        expected = total / (1 + mask.sum(axis=1))
    assert_close(model(inputs), expected)
    assert np.isfinite(to_numpy(model(inputs))).all()


@each_builder
def test_what_an_absent_modality_holds_changes_no_step(builder):
    learned = []
    for filler in (np.nan, 1e30):
        model = build(builder, "average", modality_mask=True)
        step(model, rows(builder, filler))
        learned.append(model.get_weights())
    for with_nan, with_number in zip(*learned, strict=True):
        assert np.isfinite(with_nan).all()
        np.testing.assert_array_equal(with_nan, with_number)


@each_builder
def test_a_model_with_heads_is_saved_and_asked_as_one_without(builder, tmp_path):
    model = build(builder, "average", modality_mask=True)
    inputs = rows(builder, filler=0.0)
    model.save(tmp_path / "model.keras")
    loaded = load(tmp_path / "model.keras")
    assert isinstance(loaded, HeadedModel)
    assert_close(loaded(inputs), model(inputs))
    if "edge_index" in inputs:
        return
    plain = signatures_of(build(builder, None, modality_mask=True))
    headed = signatures_of(model)
    for name in ("serving_default", "serving_masked"):
        assert headed[name].inputs.keys() == plain[name].inputs.keys()
        answers = [of[name].answer(inputs) for of in (headed, plain)]
        assert answers[0].keys() == answers[1].keys() == {"predictions"}


@pytest.mark.parametrize("dtype", ["bool", "int32"])
def test_the_average_on_every_backend(dtype):
    predictions = [np.full((2, 1), x, "float32") for x in (0.6, 0.9, 0.0)]
    there = np.array([[1, 0], [0, 0]], dtype)
    found = Heads("average")(predictions, modality_mask=there)
    assert_close(found, np.array([[0.75], [0.6]]))


@pytest.mark.parametrize("activation", ["cumulative_link", "continuation_ratio"])
def test_heads_of_an_order_are_not_averaged(activation):
    """Each gives a part of one score; a mean of such classes leans to the middle."""
    options = {"classifier_activation": activation, "heads": "average"}
    model = zoo.FusionClassifier(VECTORS, 3, **options)
    assert model.get_layer("predictions").heads == "train"


def test_heads_that_cannot_be():
    with pytest.raises(ValueError, match="heads must be None or one of.*'mean'"):
        zoo.FusionClassifier(VECTORS, 3, heads="mean")
    with pytest.raises(ValueError, match="include_top=False leaves them out"):
        zoo.FusionClassifier(VECTORS, 3, heads="train", include_top=False)
