import keras
import numpy as np
import pytest

from keras_fusion.experiments import scores
from keras_fusion.metrics import IntersectionOverUnion

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("classes", [1, 3])
def test_is_the_score_of_all_batches_together(classes):
    masks = RNG.integers(0, 2, (6, 4, 5))  # class 2 is nowhere in the masks
    outputs = RNG.normal(size=(6, 4, 5, classes)).astype("float32")
    metric = IntersectionOverUnion(classes)
    for rows in (slice(0, 4), slice(4, 6)):
        metric.update_state(masks[rows], outputs[rows])
    score = scores.foreground_iou if classes == 1 else scores.mean_iou
    assert float(metric.result()) == pytest.approx(score(masks, outputs))
    metric.reset_state()
    assert float(metric.result()) == 0


def test_saved_and_loaded():
    config = keras.metrics.serialize(IntersectionOverUnion(4))
    assert keras.metrics.deserialize(config).classes == 4


def test_no_sample_weights():
    with pytest.raises(ValueError, match="no sample weights"):
        IntersectionOverUnion()(np.ones((1, 2, 2)), np.ones((1, 2, 2, 1)), np.ones(1))


@pytest.mark.parametrize("classes", [1, 3])
def test_pixels_that_nobody_labeled_do_not_count(classes):
    masks = RNG.integers(0, max(2, classes), (6, 4, 5))
    outputs = RNG.normal(size=(6, 4, 5, classes)).astype("float32")
    unknown = RNG.random(masks.shape) < 0.3
    given = np.where(unknown, 255, masks)
    metric = IntersectionOverUnion(classes, ignore_class=255)
    metric.update_state(given, outputs)
    score = scores.foreground_iou if classes == 1 else scores.mean_iou
    kept = score(masks[~unknown][None, None], outputs[~unknown][None, None])
    assert score(given, outputs) == pytest.approx(kept)
    assert float(metric.result()) == pytest.approx(kept)
    assert kept != pytest.approx(score(masks, outputs))
