"""Data are loaded in little more memory than their file takes."""

import tracemalloc

import numpy as np
import pytest

from keras_fusion import datasets

PARTS = {"rgb": (3, "uint8"), "depth": (1, "uint16"), "mask": (1, "uint8")}


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_pictures_take_little_more_than_their_file(dtype, tmp_path):
    path = tmp_path / "pictures.npz"
    shape = 256, 64, 64, 3
    pictures = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    np.savez(path, rgb=pictures, y=np.arange(len(pictures)) % 7)
    del pictures
    tracemalloc.start()
    data = datasets.load(f"npz:{path}", task="classification")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.7 * path.stat().st_size + 2**23  # chunks of some megabytes
    assert data.train.inputs["rgb"][:2].dtype == np.float32


def test_a_folder_of_pictures_takes_little_more_than_its_files(tmp_path):
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    for kind, (channels, dtype) in PARTS.items():
        (tmp_path / kind).mkdir()
        for i in range(160):
            most = np.iinfo(dtype).max  # no file is much smaller than its pixels
            pixels = rng.integers(0, most, (128, 128, channels), dtype)
            image.fromarray(pixels.squeeze()).save(tmp_path / kind / f"{i}.png")
    size = sum(file.stat().st_size for file in tmp_path.rglob("*.png"))
    tracemalloc.start()
    datasets.load(f"folder:{tmp_path}")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2.2 * size + 2**23  # depth and masks are larger than in a file
