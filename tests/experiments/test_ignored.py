"""Pixels of 255, which nobody labeled, from a data set to its scores."""

import numpy as np
import pytest

from keras_fusion.experiments import training
from keras_fusion.experiments.class_weights import class_weights
from keras_fusion.experiments.tasks import task_for
from tests.conftest import assert_close
from tests.experiments import runs

RECIPE = """
builder = "MutualFormerSegmenter"
dataset = "npz:{data}"
usual_baselines = false

[arguments]
units = 4
encoder_depth = 0

[training]
epochs = 1
batch_size = 10
class_weight = "balanced"
"""


def masks_of_three(rows=20):
    rng = np.random.default_rng(0)
    masks = rng.integers(0, 3, (rows, 8, 8))
    masks[:, :3] = 255
    return masks


def test_the_loss_of_several_classes_leaves_them_out():
    masks = masks_of_three(2)
    logits = np.random.default_rng(1).normal(size=(2, 8, 8, 3)).astype("float32")
    kept = masks != 255
    exp = np.exp(logits[kept].astype("float64"))
    own = exp[np.arange(kept.sum()), masks[kept]] / exp.sum(axis=1)
    found = task_for(3, 3).loss()(masks, logits)
    assert_close(np.float32(found), np.float32(-np.log(own).mean()))


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_a_segmenter_trains_beside_them(tmp_path):
    masks = masks_of_three()
    inputs = {name: masks[..., None] % 3 + 0.5 for name in ("rgb", "depth")}
    arrays = {"y": masks, "a": inputs["depth"], "b": inputs["rgb"] * [1, 1, 1]}
    recipe, data = runs.load(runs.write(tmp_path, RECIPE, **arrays))
    assert data.class_names == ("0", "1", "2")
    assert set(np.unique(data.train.labels)) == {0, 1, 2, 255}
    weights = class_weights(data, "balanced")
    counts = np.bincount(data.train.labels[data.train.labels < 3])
    assert_close(weights[:3], (counts.sum() / (3 * counts)).astype("float32"))
    assert weights.shape == (256,) and not weights[3:].any()
    record = training.fit(recipe, data, 0, tmp_path / "run")
    assert np.isfinite(record.history["val_loss"]).all()
    assert 0 < record.validation < 1
