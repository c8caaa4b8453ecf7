"""Data are loaded in at most three times the memory that their file takes."""

import tracemalloc

import numpy as np
import pytest

from keras_fusion import datasets


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
    assert peak < 3 * path.stat().st_size + 2**24  # chunks of some megabytes
    assert data.train.inputs["rgb"][:2].dtype == np.float32
