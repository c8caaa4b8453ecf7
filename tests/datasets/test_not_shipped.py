"""The data sets that are read from `archives.folder()`."""

import numpy as np
import pytest

from keras_fusion import datasets
from keras_fusion.datasets import archives, av_digits, tools_rgbd
from tests import shared

av = shared.needs("av_digits")
tools = shared.needs("tools_rgbd")
leaves = shared.needs("leaves100")


@av
@pytest.mark.parametrize("name", ["av_digits", "av_digits/hard"])
def test_av_digits(name):
    data = datasets.load(name)
    assert data.input_shapes == {"image": (28, 28, 1), "audio": (32, 32, 1)}
    assert data.class_names == tuple("0123456789")
    sizes = [len(part.labels) for part in (data.train, data.validation, data.test)]
    assert sizes == [7199, 1801, 2000]  # a fifth of every class validates
    for x in data.train.inputs.values():  # one mean and deviation for all pixels
        assert abs(x.mean()) < 1e-3 and abs(x.std() - 1) < 1e-3


@av
def test_audio_is_that_of_its_pair():
    arrays = archives.read(av_digits.ARCHIVE)
    found = av_digits.columns("hard")
    row = 4321
    spoken = arrays["pair"][row]
    np.testing.assert_array_equal(
        found["audio"][row, ..., 0], arrays["audio_noisy"][spoken]
    )
    np.testing.assert_array_equal(found["image"][row, ..., 0], arrays["image_low"][row])
    np.testing.assert_array_equal(arrays["audio_y"][arrays["pair"]], found["label"])


@tools
def test_tools_rgbd():
    data = datasets.load("tools_rgbd")
    assert data.input_shapes == {"rgb": (108, 192, 3), "depth": (108, 192, 1)}
    assert data.classes == 1 and data.class_names == ("tool",)
    assert data.train.labels.shape == (174, 108, 192)
    assert len(data.validation.labels) == 43 and len(data.test.labels) == 31
    assert np.isfinite(data.test.inputs["depth"]).all()  # no reading is the mean
    assert any("modality 'depth'" in note for note in data.notes)


@tools
def test_tools_rgbd_of_one_rig_and_of_all_classes():
    rig = datasets.load("tools_rgbd/rig_0")
    assert len(rig.train.labels) + len(rig.validation.labels) == 131
    assert len(rig.test.labels) == 31
    classes = datasets.load("tools_rgbd/tools")
    assert classes.class_names == ("background", *tools_rgbd.TOOLS)
    foreground = datasets.load("tools_rgbd").test.labels
    np.testing.assert_array_equal(classes.test.labels > 0, foreground == 1)
    named = archives.read(tools_rgbd.ARCHIVE)["class_names"].tolist()
    assert tuple(named) == classes.class_names


@tools
def test_every_part_has_its_share_of_each_rig():
    found = tools_rgbd.columns()
    share = (found["rig"][found["is_train"]] == 0).mean()
    rows = datasets.load("tools_rgbd", seed=3).validation.inputs["rgb"]
    mean, std = datasets.load("tools_rgbd", seed=3).statistics["rgb"]
    raw = np.round(rows * std + mean).astype(np.uint8)[:, ::9, ::9]
    of_rig_0 = found["rgb"][found["rig"] == 0][:, ::9, ::9]
    matches = [(row == of_rig_0).all(axis=(1, 2, 3)).any() for row in raw]
    assert abs(np.mean(matches) - share) < 0.02


@leaves
def test_leaves100():
    data = datasets.load("leaves100", labels_per_class=3)
    assert data.input_shapes == {"shape": (64,), "margin": (64,), "texture": (64,)}
    assert data.classes == 100
    assert np.bincount(data.train.labels).tolist() == [3] * 100
    assert len(data.validation.labels) == 280 and len(data.test.labels) == 320
    assert all(abs(x.mean()) < 1e-3 for x in data.train.inputs.values())
