"""`folder:PATH`, one's own rgb/, depth/ and mask/."""

import numpy as np
import pytest

from keras_fusion import datasets

Image = pytest.importorskip("PIL.Image")
RNG = np.random.default_rng(0)
NAMES = [f"scene {i}" for i in range(10)]
RGB = RNG.integers(0, 256, (10, 6, 8, 3), dtype=np.uint8)
DEPTH = RNG.integers(1000, 60000, (10, 6, 8), dtype=np.uint16)  # no 8 bits hold these
MASK = RNG.integers(0, 2, (10, 6, 8), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    for kind, images in (("rgb", RGB), ("depth", DEPTH), ("mask", 255 * MASK)):
        (tmp_path / kind).mkdir()
        for name, image in zip(NAMES, images, strict=True):
            Image.fromarray(image).save(tmp_path / kind / f"{name}.png")
    return tmp_path


def test_is_what_was_drawn(folder):
    raw = datasets.read_images(folder)
    np.testing.assert_array_equal(raw.inputs["rgb"], RGB)
    assert raw.inputs["rgb"].dtype == np.uint8  # float32 would be four times as large
    np.testing.assert_array_equal(raw.inputs["depth"], datasets.normalize_depth(DEPTH))
    np.testing.assert_array_equal(raw.labels, 255 * MASK)
    data = datasets.load(f"folder:{folder}")
    assert data.input_shapes == {"rgb": (6, 8, 3), "depth": (6, 8, 1)}
    assert data.classes == 1 and data.class_names == ("foreground",)
    sizes = [len(part.labels) for part in (data.train, data.validation, data.test)]
    assert sizes == [6, 2, 2]
    assert set(np.unique(data.train.labels)) == {0, 1}


def test_masks_of_several_classes(folder):
    for i, name in enumerate(NAMES):
        Image.fromarray(MASK[i] * (1 + i % 2)).save(folder / "mask" / f"{name}.png")
    data = datasets.load(f"folder:{folder}")
    assert data.class_names == ("0", "1", "2") and data.classes == 3


def test_jpeg_in_any_case(folder):
    (folder / "rgb" / f"{NAMES[0]}.png").unlink()
    Image.fromarray(RGB[0]).save(folder / "rgb" / f"{NAMES[0]}.JPG")
    assert datasets.read_images(folder).inputs["rgb"].shape == (10, 6, 8, 3)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_images_are_turned_as_their_camera_says(folder, suffix):
    """A telephone that was held upside down: stored so, and marked with a 3."""
    (folder / "rgb" / f"{NAMES[0]}.png").unlink()
    path = folder / "rgb" / f"{NAMES[0]}.{suffix}"
    exif = Image.Exif()
    exif[274] = 3  # Orientation
    Image.fromarray(RGB[0, ::-1, ::-1].copy()).save(path, exif=exif)
    stored = np.asarray(Image.open(path))  # a JPEG's noise included
    found = datasets.read_images(folder).inputs["rgb"]
    np.testing.assert_array_equal(found[0], stored[::-1, ::-1])
    np.testing.assert_array_equal(found[1:], RGB[1:])


def remove(folder, *parts):
    folder.joinpath(*parts).unlink()


def resize(folder, kind):
    Image.fromarray(RGB[0, :3, :4, 0]).save(folder / kind / f"{NAMES[3]}.png")


FAULTS = {
    "no folder": (lambda f: (f / "mask").rename(f / "masks"), "mask: no such folder"),
    "no depth": (
        lambda f: remove(f, "depth", f"{NAMES[2]}.png"),
        "depth/ has no image called scene 2",
    ),
    "no color": (
        lambda f: remove(f, "rgb", f"{NAMES[2]}.png"),
        "rgb/ has no image called scene 2",
    ),
    "mask size": (
        lambda f: resize(f, "mask"),
        "one size, .*; mask/scene 3 is 3 x 4, the first of rgb/ is 6 x 8",
    ),
    "rgb size": (lambda f: resize(f, "rgb"), "rgb/scene 3 is 3 x 4"),
    "twice": (
        lambda f: Image.fromarray(RGB[0]).save(f / "rgb" / f"{NAMES[0]}.jpg"),
        "several images are called 'scene 0'",
    ),
    "color depth": (
        lambda f: Image.fromarray(RGB[0]).save(f / "depth" / f"{NAMES[0]}.png"),
        "scene 0.png: expected one channel; received RGB",
    ),
    "one bit": (
        lambda f: Image.fromarray(MASK[1] > 0).save(f / "mask" / f"{NAMES[1]}.png"),
        "mask/scene 1 has one bit for each pixel, the first of mask/ has a number",
    ),
    "broken": (
        lambda f: (f / "mask" / f"{NAMES[1]}.png").write_bytes(b"no picture"),
        "scene 1.png: cannot be read as an image",
    ),
}


@pytest.mark.parametrize("spoil, message", FAULTS.values(), ids=FAULTS)
def test_faults_are_named(folder, spoil, message):
    spoil(folder)
    with pytest.raises(ValueError, match=message):
        datasets.load(f"folder:{folder}")


def test_an_empty_folder(tmp_path):
    for kind in ("rgb", "depth", "mask"):
        (tmp_path / kind).mkdir()
    with pytest.raises(ValueError, match=r"expected images ending in .png, .jpg"):
        datasets.load(f"folder:{tmp_path}")
