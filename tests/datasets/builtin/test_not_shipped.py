"""The data sets that are read from `archives.folder()`."""

import itertools

import numpy as np
import pytest

from keras_fusion import datasets
from keras_fusion.datasets.builtin import archives, av_digits, tools_rgbd, utd_mhad
from tests import shared
from tests.conftest import assert_close

av = shared.needs("av_digits")
tools = shared.needs("tools_rgbd")
mhad = shared.needs("utd_mhad")
leaves = shared.needs("leaves100")


def test_configs_that_there_are_not():
    with pytest.raises(ValueError, match="No config of av_digits 'noisy'.*clean, hard"):
        av_digits.read("noisy")
    with pytest.raises(ValueError, match="No config of tools_rgbd 'tool'.*'tools'"):
        tools_rgbd.read("tool")


@av
def test_the_first_config_has_two_names():
    bare, named = (datasets.load(f"av_digits{end}") for end in ("", "/clean"))
    np.testing.assert_array_equal(bare.test.inputs["image"], named.test.inputs["image"])


@av
@pytest.mark.parametrize("name", ["av_digits", "av_digits/hard"])
def test_av_digits(name):
    data = datasets.load(name)
    assert data.input_shapes == {"image": (28, 28, 1), "audio": (32, 32, 1)}
    assert data.class_names == tuple("0123456789")
    parts = data.train, data.validation, data.test
    train, validation, test = (len(part.labels) for part in parts)
    assert train + validation == 9000 and test == 2000
    assert validation == pytest.approx(1800, rel=0.05)  # a fifth of the recordings
    heard = [{x.tobytes() for x in part.inputs["audio"]} for part in parts]
    assert not any(a & b for a, b in itertools.combinations(heard, 2))
    for x in map(np.asarray, data.train.inputs.values()):  # one scale for all pixels
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
    assert data.train.labels.shape[1:] == (108, 192)
    assert len(data.train.labels) + len(data.validation.labels) == 217
    assert len(data.test.labels) == 31
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
def test_frames_validate_in_runs_of_ten():
    data = datasets.load("tools_rgbd/rig_0", seed=3)
    mean, std = data.statistics["rgb"]
    rows = np.round(data.validation.inputs["rgb"] * std + mean)[:, ::9, ::9]
    found = tools_rgbd.columns()["rgb"][:131, ::9, ::9]
    places = [np.flatnonzero((found == row).all(axis=(1, 2, 3)))[0] for row in rows]
    runs = np.unique(np.asarray(places) // 10)
    assert len(runs) == 3
    whole = [place for place in range(131) if place // 10 in runs]
    np.testing.assert_array_equal(places, whole)


@pytest.mark.only_on("torch", reason="no backend changes it")
@mhad
def test_utd_mhad_is_split_by_person():
    found = utd_mhad.columns()
    data = datasets.load("utd_mhad", seed=1)
    shapes = {"inertial": (128, 6), "skeleton": (64, 120), "depth": (12, 24, 16, 1)}
    assert data.input_shapes == shapes
    assert data.class_names == tuple(sorted(utd_mhad.ACTIONS)) and data.classes == 27
    subject = found["subject"]
    assert set(subject[found["is_train"]]) == {1, 3, 5, 7}
    mean, std = data.statistics["inertial"]
    for part, persons in (("train", 3), ("validation", 1), ("test", 4)):
        split = getattr(data, part)
        raw = split.inputs["inertial"][:, 0] * std[0] + mean[0]
        first = found["inertial"][:, 0]
        rows = [np.abs(first - row).sum(axis=1).argmin() for row in raw]
        assert len(set(subject[rows])) == persons
        actions = np.array(utd_mhad.ACTIONS)[found["label"][rows]]
        assert (actions == np.array(data.class_names)[split.labels]).all()


@pytest.mark.only_on("torch", reason="no backend changes it")
@mhad
def test_depth_of_utd_mhad_is_a_body_on_nothing():
    found = utd_mhad.columns()["depth"]
    outside = np.delete(found, np.r_[utd_mhad.MIDDLE], axis=-1)
    assert (outside > 0).sum() < 1e-3 * (found > 0).sum()
    data = datasets.load("utd_mhad/video", seed=1)
    mean, std = data.statistics["depth"]
    depth = data.test.inputs["depth"] * std + mean
    assert depth.min() > -1e-5 and 2.9 < depth.max() < 3 + 1e-5
    inside = depth[..., 0] > 1.5  # the body but for its edge
    middles = np.array(
        [np.median(clip[body]) for clip, body in zip(depth[..., 0], inside)]
    )
    assert np.abs(np.median(middles) - 2) < 0.25


@pytest.mark.only_on("torch", reason="no backend changes it")
@mhad
def test_utd_mhad_as_video():
    """Joints and silhouette are the same person: they stand one over the other."""
    data = datasets.load("utd_mhad/video", seed=1)
    assert data.input_shapes == {"depth": (12, 24, 16, 1), "skeleton": (12, 20, 2)}
    mean, std = data.statistics["skeleton"]
    joints = data.test.inputs["skeleton"] * std + mean
    head, feet = joints[:, :, utd_mhad.HEAD, 1], joints[:, :, [15, 19], 1].mean(-1)
    assert (head < feet).mean() > 0.99  # y points down
    found = utd_mhad.columns()
    last = found["skeleton"][~found["is_train"]][:, -1]
    size = np.linalg.norm(
        found["skeleton"][:, :, 0] - found["skeleton"][:, :, 3], axis=-1
    )
    width = last[:, 7, 0] - last[:, 11, 0]
    size = size.mean(1)[~found["is_train"]]
    assert_close(joints[:, -1, 7, 0] - joints[:, -1, 11, 0], width / size, "float16")


@leaves
def test_leaves100():
    data = datasets.load("leaves100", labels_per_class=3)
    assert data.input_shapes == {"shape": (64,), "margin": (64,), "texture": (64,)}
    assert data.classes == 100
    assert np.bincount(data.train.labels).tolist() == [3] * 100
    assert len(data.validation.labels) == 280 and len(data.test.labels) == 320
    assert all(abs(x.mean()) < 1e-3 for x in data.train.inputs.values())


@shared.needs("clothing_reviews")
def test_clothing_reviews():
    data = datasets.load("clothing_reviews")
    assert list(data.input_shapes) == ["Title", "Review Text", "table"]
    assert data.name == "clothing_reviews" and data.classes == 2
    assert set(data.left_out) == {"Rating", "Clothing ID"}
    parts = data.train, data.validation, data.test
    assert sum(len(part.labels) for part in parts) == 23486
    column = list(data.input_shapes).index("Title")
    empty = sum((~part.modality_mask[:, column]).sum() for part in parts)
    assert empty == 3810
    for part in parts:
        assert abs(part.labels.mean() - 0.82) < 0.03


@shared.needs("clothing_reviews")
def test_no_piece_of_clothing_has_reviews_in_two_parts():
    piece = {"piece": {"columns": {"Clothing ID": "category"}}}
    data = datasets.load("clothing_reviews", modalities=piece)
    train, *others = (
        set(np.unique(part.inputs["piece"]))
        for part in (data.train, data.validation, data.test)
    )
    assert len(train) > 100
    assert others == [{1}, {1}]  # which training has not seen
