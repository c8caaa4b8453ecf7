"""What is absent changes nothing in a whole model, its encoders included."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion import zoo
from keras_fusion.common.gradients import with_gradients
from tests.conftest import assert_close, to_numpy
from tests.zoo.samples import MASK, SHAPES, VECTORS, absent_as, draw, randomize

MODELS = {
    "attention": {"fusion": "ModalityAttention", "depth": 2},
    "weighting": {"fusion": "AdaptiveWeighting"},
    "late": {},
}


def build(kind, **kwargs):
    builder = zoo.LateFusionClassifier if kind == "late" else zoo.FusionClassifier
    return randomize(builder(SHAPES, 3, units=4, **MODELS[kind], **kwargs))


@pytest.mark.parametrize("kind", MODELS)
def test_absent_modalities_change_neither_outputs_nor_gradients(kind):
    model = build(kind, modality_mask=True, modality_dropout=0.5)

    def function(arrays, mask):
        mask = ops.convert_to_tensor(mask)  # Keras takes no tensors beside arrays
        inputs = dict(zip(SHAPES, arrays, strict=True)) | {"modality_mask": mask}
        outputs = model(inputs)
        return ops.sum(outputs[:, 0]), outputs

    run = with_gradients(function, model.trainable_variables)
    inputs = draw(SHAPES, rows=len(MASK))
    results = []
    for filler in (np.nan, 1e30):
        filled = absent_as(filler, inputs, MASK)
        outputs, gradients = run([filled[m] for m in SHAPES], mask=MASK)
        results.append([ops.convert_to_numpy(outputs), *gradients])
    for with_nan, with_number in zip(*results, strict=True):
        np.testing.assert_array_equal(with_nan, with_number)
    outputs, *gradients = results[0]
    assert all(np.isfinite(x).all() for x in results[0])
    assert all(np.any(g) for g in gradients[: len(SHAPES)])  # what is present counts
    for gradient, there in zip(gradients[: len(SHAPES)], MASK.T, strict=True):
        assert not np.any(gradient[~there])


@pytest.mark.parametrize("kind", MODELS)
def test_training_corrupts_what_is_there_and_use_does_not(kind):
    rates = {"dropout": 0.0, "modality_dropout": 0.0, "modality_mask": True}
    model, plain = (build(kind, **rates, modality_corruption=r) for r in (0.9, 0.0))
    inputs = absent_as(np.nan, draw(SHAPES, rows=len(MASK)), MASK)
    inputs |= {"modality_mask": MASK}
    expected = to_numpy(plain(inputs))
    assert_close(model(inputs), expected)
    trained = to_numpy(model(inputs, training=True))
    assert np.isfinite(trained).all()
    moved = np.abs(trained - expected).max(axis=-1) > 1e-4
    assert moved.any() and not moved[MASK.sum(axis=-1) <= 1].any()


CLIPS = {m: (2, 8, 8, 1) for m in "ab"}
CORRUPTING = {
    "FusionClassifier": {"encoders": {"a": keras.layers.Dense(3)}},
    "EvidentialClassifier": {},
    "MultimodalTransformer": {"input_shapes": {m: (2, 4) for m in "ab"}},
    "MutualFormerClassifier": {},
    "TwoStreamVideoClassifier": {"input_shapes": CLIPS, "encoder_depth": 1},
    "MutualFormerSegmenter": {"input_shapes": {m: (16, 16, 1) for m in "ab"}},
}


@pytest.mark.only_on("torch", reason="the layer is the same on every backend")
@pytest.mark.parametrize("name", CORRUPTING)
def test_every_builder_corrupts_before_its_encoders(name):
    arguments = {"input_shapes": {m: (4,) for m in "ab"}, "units": 4} | CORRUPTING[name]
    shapes = arguments.pop("input_shapes")
    new = zoo.builders()[name]
    model = new(shapes, 2, **arguments, dropout=0.0, modality_corruption=0.99)
    layer = model.get_layer("modality_corruption")
    assert layer.rate == 0.99 and layer.output is not None
    inputs = draw(shapes, rows=40)
    found, expected = (to_numpy(model(inputs, training=t)) for t in (True, False))
    moved = np.abs(found - expected).reshape(40, -1).max(axis=-1) > 1e-6
    assert moved.mean() > 0.8


def test_training_drops_as_inference_leaves_out():
    model = randomize(
        zoo.FusionClassifier(VECTORS, 3, units=4, dropout=0.0, modality_dropout=0.99)
    )
    masked = zoo.FusionClassifier(VECTORS, 3, units=4, modality_mask=True)
    masked.set_weights(model.get_weights())
    inputs = draw(VECTORS, rows=40)
    trained = to_numpy(model(inputs, training=True))  # (B, K)
    only = [np.tile(row, (40, 1)) for row in np.eye(3, dtype=bool)]
    alone = np.stack(  # (M, B, K): with each modality alone
        [to_numpy(masked(inputs | {"modality_mask": mask})) for mask in only]
    )
    kept = np.abs(alone - trained).max(axis=-1).argmin(axis=0)  # (B,)
    assert set(kept) == {0, 1, 2}
    some = alone[kept, np.arange(40)]
    differing = np.abs(some - trained).max(axis=-1) > 1e-5
    assert differing.sum() <= 5  # now and then two of the three are kept
    assert_close(model(inputs), masked(inputs | {"modality_mask": np.ones((40, 3))}))
