import numpy as np
import pytest

from keras_fusion.datasets import mfeat

pytestmark = pytest.mark.slow
tfds = pytest.importorskip("tensorflow_datasets")


def load(folder, **kwargs):
    import keras_fusion.datasets.tfds  # noqa: F401  registers the builders

    return tfds.load("mfeat", data_dir=folder, with_info=True, **kwargs)


def test_is_the_raw_data(tmp_path):
    splits, info = load(tmp_path)
    raw = mfeat.read()
    assert set(splits) == {"train", "test"}
    for split, chosen in (("train", raw.is_train), ("test", ~raw.is_train)):
        assert info.splits[split].num_examples == chosen.sum()
        rows = list(tfds.as_numpy(splits[split]))
        assert {m: rows[0][m].shape for m in mfeat.WIDTHS} == {
            m: (width,) for m, width in mfeat.WIDTHS.items()
        }
        for name, values in (raw.inputs | {"label": raw.labels}).items():
            # tensorflow-datasets shuffles: compare as sets of rows
            found = np.array([row[name] for row in rows]).reshape(len(rows), -1)
            expected = values[chosen].reshape(len(rows), -1)
            np.testing.assert_array_equal(
                found[np.lexsort(found.T)], expected[np.lexsort(expected.T)]
            )
    assert info.features["label"].num_classes == 10
    assert "archive.ics.uci.edu" in info.homepage and "Duin" in info.citation
    assert info.redistribution_info.license == "CC BY 4.0"


def test_own_copy_is_read_and_checked(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mfeat.npz").write_bytes(b"something else")
    config = tfds.download.DownloadConfig(manual_dir=tmp_path / "own")
    with pytest.raises(ValueError, match="own/mfeat.npz: expected SHA-256"):
        load(tmp_path, download_and_prepare_kwargs={"download_config": config})
