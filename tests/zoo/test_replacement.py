"""Learned vectors stand in for the encodings of absent modalities."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion import zoo
from keras_fusion.common.gradients import with_gradients
from keras_fusion.layers import LearnedReplacement
from tests.conftest import assert_close, to_numpy
from tests.zoo.samples import MASK, SHAPES, VECTORS, absent_as, draw, randomize

MODELS = {
    "weighting": {},
    "concatenation": {"fusion": "Concatenation", "heads": "average"},
    "tokens": {"fusion": "CrossAttention"},
}


def build(kind="weighting", shapes=SHAPES, **kwargs):
    options = {"units": 4, "dropout": 0.0, "replacement": "learned"} | MODELS[kind]
    return randomize(zoo.FusionClassifier(shapes, 3, **options | kwargs))


def test_a_vector_stands_where_a_modality_is_absent():
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=s).astype("float32") for s in ((3, 2), (3, 4, 5)))
    there = np.array([[True, True], [False, True], [True, False]])
    layer = LearnedReplacement()
    found = layer([a, b], modality_mask=there)
    vectors = [to_numpy(w) for w in layer.weights]
    assert [w.shape for w in vectors] == [(2,), (5,)] and all(map(np.any, vectors))
    a[1], b[2] = vectors
    for y, x in zip(found, (a, b)):
        np.testing.assert_array_equal(to_numpy(y), x)
    for y, x in zip(layer([a, b]), (a, b)):
        np.testing.assert_array_equal(to_numpy(y), x)


def test_no_token_at_all_is_absent_too():
    x = keras.layers.Masking()(np.array([[[1.0], [0.0]], [[0.0], [0.0]]], "float32"))
    layer = LearnedReplacement()
    (y,) = layer([x], modality_mask=np.ones((2, 1), bool))
    assert to_numpy(y._keras_mask).tolist() == [[True, False], [True, True]]
    assert to_numpy(y)[0].tolist() == [[1.0], [0.0]]
    assert (to_numpy(y)[1] == to_numpy(layer.weights[0])).all()


@pytest.mark.parametrize("kind", MODELS)
def test_what_is_absent_has_no_influence_but_by_its_vector(kind):
    model = build(kind, modality_mask=True)
    vectors = model.get_layer("replacement").weights

    def function(arrays, mask):
        mask = ops.convert_to_tensor(mask)
        inputs = dict(zip(SHAPES, arrays, strict=True)) | {"modality_mask": mask}
        outputs = model(inputs)
        return ops.sum(outputs[:, 0]), outputs

    run = with_gradients(function, vectors)
    inputs = draw(SHAPES, rows=len(MASK))
    results = []
    for filler in (np.nan, 1e30):
        filled = absent_as(filler, inputs, MASK)
        outputs, gradients = run([filled[m] for m in SHAPES], mask=MASK)
        results.append([ops.convert_to_numpy(outputs), *gradients])
    for with_nan, with_number in zip(*results, strict=True):
        np.testing.assert_array_equal(with_nan, with_number)
    assert all(np.isfinite(x).all() for x in results[0])
    assert all(np.any(g) for g in results[0][1 + len(SHAPES) :])
    before = results[0][0]
    vectors[1].assign(vectors[1] + 1)  # of the text, which is there in rows 0 and 2
    inputs = absent_as(np.nan, inputs, MASK)
    moved = np.abs(to_numpy(model(inputs)) - before).max(axis=-1) > 1e-6
    assert moved.tolist() == [not there for there in MASK[:, 1]]


def test_the_operator_sees_it_as_present():
    model = build(shapes=VECTORS, fusion="SoftmaxGating", modality_mask=True)
    there = np.array([[True, False, True]] * 2)
    inputs = draw(VECTORS, rows=2) | {"modality_mask": there}
    weights = zoo.modality_weights(model, inputs)
    assert (weights > 0).all()
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_training_drops_as_inference_leaves_out():
    model = build(shapes=VECTORS, modality_dropout=0.99)
    masked = build(shapes=VECTORS, modality_mask=True)
    masked.set_weights(model.get_weights())
    inputs = draw(VECTORS, rows=40)
    trained = to_numpy(model(inputs, training=True))
    only = [np.tile(row, (40, 1)) for row in np.eye(3, dtype=bool)]
    alone = np.stack([to_numpy(masked(inputs | {"modality_mask": m})) for m in only])
    assert (np.abs(alone - trained).max(axis=-1).min(axis=0) < 1e-5).mean() > 0.8
    assert_close(model(inputs), masked(inputs | {"modality_mask": np.ones((40, 3))}))


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_one_file_with_and_without_mask(tmp_path):
    masked, path = build(modality_mask=True), str(tmp_path / "x.weights.h5")
    masked.save_weights(path)
    inputs = draw(SHAPES)
    there = np.ones((3, len(SHAPES)), bool)
    plain = build(weights=None)
    plain.load_weights(path)
    assert_close(plain(inputs), masked(inputs | {"modality_mask": there}))
    plain.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert_close(again(inputs), plain(inputs))


@pytest.mark.only_on("torch", reason="the layer is the same on every backend")
def test_other_builders_have_it():
    sequences, clips = {"a": (4, 3), "b": (4, 2)}, {m: (2, 8, 8, 1) for m in "ab"}
    learned = {"modality_mask": True, "replacement": "learned"}
    model = zoo.TwoStreamVideoClassifier(clips, 2, encoder_depth=1, **learned)
    assert len(model.get_layer("replacement").weights) == 2
    model = zoo.GraphNodeClassifier({"a": 3, "b": 2}, 2, **learned)
    assert len(model.get_layer("replacement").weights) == 2
    model = randomize(zoo.MutualFormerClassifier(sequences, 2, units=4, **learned))
    inputs = draw(sequences, rows=4) | {"modality_mask": np.zeros((4, 2), bool)}
    found = to_numpy(model(inputs))
    assert np.isfinite(found).all()
    model.get_layer("replacement").weights[0].assign([3.0, -1.0, 0.5, 2.0])
    assert np.abs(to_numpy(model(inputs)) - found).max() > 1e-6


def test_what_it_cannot_be():
    with pytest.raises(ValueError, match="replacement must be one of .*'mean'"):
        build(replacement="mean")
