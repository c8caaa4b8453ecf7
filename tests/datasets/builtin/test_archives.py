import hashlib

import numpy as np
import pytest

from keras_fusion import datasets
from keras_fusion.datasets.builtin import archives


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """A small archive in the folder that the variable names."""
    monkeypatch.setenv(archives.VARIABLE, str(tmp_path))
    np.savez(tmp_path / "mine.npz", x=np.arange(3))
    digest = hashlib.sha256((tmp_path / "mine.npz").read_bytes()).hexdigest()
    return archives.Archive("mine.npz", digest, "https://example.org, CC0")


def test_from_the_folder_that_the_variable_names(archive):
    assert archives.read(archive)["x"].tolist() == [0, 1, 2]


def test_by_default_beside_what_keras_downloads(tmp_path, monkeypatch):
    monkeypatch.delenv(archives.VARIABLE, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert archives.folder() == tmp_path / "keras_fusion"


def test_another_content_is_refused(archive, tmp_path):
    path = tmp_path / "other.npz"
    path.write_bytes((tmp_path / "mine.npz").read_bytes() + b"x")
    with pytest.raises(ValueError, match=f"expected SHA-256 {archive.sha256}"):
        archives.read(archive, path)


@pytest.mark.parametrize(
    "name", ["av_digits", "av_digits/hard", "tools_rgbd", "utd_mhad"]
)
def test_what_is_not_there_is_said_in_full(name, tmp_path, monkeypatch):
    monkeypatch.setenv(archives.VARIABLE, str(tmp_path))
    with pytest.raises(ValueError, match=f"{tmp_path}.* not shipped: put") as error:
        datasets.load(name)
    for part in (archives.VARIABLE, "SHA-256", "Source: "):
        assert part in str(error.value)
