import numpy as np
import pytest

from keras_fusion.datasets.builtin import (
    archives,
    av_digits,
    clothing_reviews,
    mfeat,
    tools_rgbd,
    utd_mhad,
)
from tests import shared

pytestmark = [
    pytest.mark.slow,
    pytest.mark.only_on("tensorflow", reason="no matter of the backend"),
]
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
    pairs, _ = load(tmp_path, split="train", as_supervised=True)
    inputs, label = next(iter(tfds.as_numpy(pairs)))
    assert {m: x.shape for m, x in inputs.items()} == {
        m: (width,) for m, width in mfeat.WIDTHS.items()
    }
    assert label in range(10)
    assert info.features["label"].num_classes == 10
    assert "archive.ics.uci.edu" in info.homepage and "Duin" in info.citation
    assert info.redistribution_info.license == "CC BY 4.0"


def test_own_copy_is_read_and_checked(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mfeat.npz").write_bytes(b"something else")
    config = tfds.download.DownloadConfig(manual_dir=tmp_path / "own")
    with pytest.raises(ValueError, match="own/mfeat.npz: expected SHA-256"):
        load(tmp_path, download_and_prepare_kwargs={"download_config": config})


def prepared(name, folder):
    import keras_fusion.datasets.tfds  # noqa: F401  registers the builders

    config = tfds.download.DownloadConfig(manual_dir=archives.folder())
    return tfds.load(
        name,
        data_dir=folder,
        with_info=True,
        download_and_prepare_kwargs={"download_config": config},
    )


def same_rows(rows, expected):
    """Whether the dicts of arrays are the rows of these columns, in any order."""

    def digests(columns):
        count = len(next(iter(columns.values())))
        flat = [np.asarray(x).reshape(count, -1) for _, x in sorted(columns.items())]
        return sorted(b"".join(x[i].tobytes() for x in flat) for i in range(count))

    found = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    wanted = {n: x.astype(found[n].dtype) for n, x in expected.items()}
    return digests(found) == digests(wanted)


@shared.needs("tools_rgbd")
def test_tools_rgbd_is_the_raw_data(tmp_path):
    splits, info = prepared("tools_rgbd", tmp_path)
    columns = tools_rgbd.columns()
    del columns["class_names"]
    for split, chosen in zip(("train", "test"), (True, False)):
        rows = list(tfds.as_numpy(splits[split]))
        of_part = columns["is_train"] == chosen
        expected = {n: x[of_part] for n, x in columns.items() if n != "is_train"}
        assert same_rows(rows, expected)
    assert info.features["depth"].dtype == np.uint16
    assert info.features["rgb"].shape == (108, 192, 3)


@shared.needs("av_digits")
def test_av_digits_has_two_configs(tmp_path):
    splits, info = prepared("av_digits/hard", tmp_path)
    columns = av_digits.columns("hard")
    chosen = ~columns.pop("is_train")
    rows = list(tfds.as_numpy(splits["test"]))
    assert same_rows(rows, {name: x[chosen] for name, x in columns.items()})
    assert info.splits["train"].num_examples == 9000
    assert info.features["label"].num_classes == 10


@shared.needs("utd_mhad")
def test_utd_mhad_is_the_raw_data(tmp_path):
    splits, info = prepared("utd_mhad", tmp_path)
    columns = utd_mhad.columns()
    chosen = ~columns.pop("is_train")
    rows = list(tfds.as_numpy(splits["test"]))
    assert same_rows(rows, {name: x[chosen] for name, x in columns.items()})
    assert info.splits["train"].num_examples == 431
    assert info.features["label"].names == list(utd_mhad.ACTIONS)
    assert {row["subject"] for row in rows} == {2, 4, 6, 8}


@shared.needs("clothing_reviews")
def test_reviews_of_clothing_are_the_raw_columns(tmp_path):
    splits, info = prepared("clothing_reviews", tmp_path)
    columns = clothing_reviews.columns()
    rows = list(tfds.as_numpy(splits["train"]))
    assert len(rows) == len(columns["Age"]) == info.splits["train"].num_examples
    for name in ("Age", "Clothing ID", "Recommended IND", "Rating"):
        found = np.sort([row[name] for row in rows])
        np.testing.assert_array_equal(found, np.sort(columns[name]))
    for name in ("Title", "Class Name"):
        expected = sorted((text or "").encode() for text in columns[name])
        assert sorted(row[name] for row in rows) == expected


def test_rgbd_folder_is_what_was_drawn(tmp_path):
    import keras_fusion.datasets.tfds  # noqa: F401  registers the builders

    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    drawn = {
        "rgb": rng.integers(0, 256, (3, 6, 8, 3), dtype=np.uint8),
        "depth": rng.integers(0, 60000, (3, 6, 8), dtype=np.uint16),
        "mask": rng.integers(0, 3, (3, 6, 8), dtype=np.uint8),
    }
    for kind, images in drawn.items():
        (tmp_path / "own" / kind).mkdir(parents=True)
        for i, pixels in enumerate(images):
            image.fromarray(pixels).save(tmp_path / "own" / kind / f"{i}.png")
    config = tfds.download.DownloadConfig(manual_dir=tmp_path / "own")
    splits = tfds.load(
        "rgbd_folder",
        data_dir=tmp_path / "data",
        download_and_prepare_kwargs={"download_config": config},
    )
    assert list(splits) == ["train"]
    assert same_rows(list(tfds.as_numpy(splits["train"])), drawn)


def test_without_the_archive_it_says_what_to_put_where(tmp_path):
    import keras_fusion.datasets.tfds  # noqa: F401  registers the builders

    config = tfds.download.DownloadConfig(manual_dir=tmp_path)
    with pytest.raises(ValueError, match="tools_rgbd.npz: no such file.*SHA-256"):
        tfds.load(
            "tools_rgbd",
            data_dir=tmp_path / "data",
            download_and_prepare_kwargs={"download_config": config},
        )
