"""What is absent changes nothing in a whole model, its encoders included."""

import numpy as np
import pytest
from keras import ops

from keras_fusion import zoo
from tests.conftest import assert_close, to_numpy
from tests.gradients import with_gradients
from tests.zoo.samples import MASK, SHAPES, VECTORS, absent_as, draw, randomise

MODELS = {
    "attention": {"fusion": "ModalityAttention", "depth": 2},
    "weighting": {"fusion": "AdaptiveWeighting"},
    "late": {},
}


def build(kind, **kwargs):
    builder = zoo.LateFusionClassifier if kind == "late" else zoo.FusionClassifier
    return randomise(builder(SHAPES, 3, units=4, **MODELS[kind], **kwargs))


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


def test_training_drops_as_inference_leaves_out():
    model = randomise(
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
