import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from keras_fusion import datasets

NAN = np.nan
ROWS = 20
RNG = np.random.default_rng(0)
POSE = RNG.normal(size=(ROWS, 3)).astype(np.float32)
AGE = RNG.normal(size=(ROWS, 1)).astype(np.float32)
POSE[0, 1] = NAN  # one cell
POSE[1] = NAN  # absent
LABELS = np.array(["cat", "dog"] * (ROWS // 2))
IS_TRAIN = np.arange(ROWS) < 15


def table(**extra):
    columns = {f"pose_{i}": POSE[:, i] for i in range(3)} | {"age": AGE[:, 0]} | extra
    return pa.table(
        {name: pa.array(x, from_pandas=True) for name, x in columns.items()}
    )


def rows(x):
    """`x` as nested lists with null for NaN and for rows of it."""
    cells = [[None if np.isnan(v) else float(v) for v in row] for row in x]
    return [None if set(row) == {None} else row for row in cells]


def write(path, **extra):
    if path.suffix == ".npz":
        np.savez(path, pose=POSE, age=AGE[:, 0], **extra)
    elif path.suffix == ".csv":
        pyarrow.csv.write_csv(table(**extra), path)
    elif path.suffix == ".parquet":
        pyarrow.parquet.write_table(table(**extra), path)
    else:
        columns = {"pose": rows(POSE), "age": AGE[:, 0].tolist()}
        path.write_text(json.dumps(columns | {k: list(v) for k, v in extra.items()}))
    return path


@pytest.mark.parametrize("kind", ["npz", "csv", "parquet", "json"])
@pytest.mark.parametrize("labels", [{}, {"y": LABELS.tolist()}], ids=["bare", "labels"])
def test_read(kind, labels, tmp_path):
    inputs = datasets.read(write(tmp_path / f"data.{kind}", **labels))
    assert list(inputs) == ["pose", "age"]
    np.testing.assert_array_equal(inputs["pose"].astype(np.float32), POSE)
    np.testing.assert_array_equal(inputs["age"].astype(np.float32), AGE)


@pytest.mark.parametrize("kind", ["npz", "csv", "parquet"])
def test_load(kind, tmp_path):
    path = write(tmp_path / f"data.{kind}", animal=LABELS, is_train=IS_TRAIN)
    data = datasets.load(f"{kind}:{path}", label="animal", scale="feature")
    assert data.input_shapes == {"pose": (3,), "age": (1,)}
    assert data.class_names == ("cat", "dog") and data.classes == 2
    assert data.test.labels.tolist() == [1, 0, 1, 0, 1]
    assert [len(data.train.labels), len(data.validation.labels)] == [12, 3]
    assert data.notes == (
        "imputed 1 NaN cell of modality 'pose' with the training mean",
    )


def test_load_without_a_fixed_split_and_regression(tmp_path):
    path = write(tmp_path / "data.csv", y=np.linspace(0, 1, ROWS))
    data = datasets.load(f"csv:{path}")
    sizes = [len(part.labels) for part in (data.train, data.validation, data.test)]
    assert sizes == [12, 4, 4]
    assert data.classes == 1 and data.train.labels.dtype == np.float32
    with pytest.raises(ValueError, match="labels_per_class needs classes"):
        datasets.load(f"csv:{path}", labels_per_class=1)


def test_npz_keeps_any_rank(tmp_path):
    np.savez(
        tmp_path / "maps.npz", rgb=np.zeros((4, 5, 6, 3), np.uint8), y=[0, 1, 0, 1]
    )
    assert datasets.read(tmp_path / "maps.npz")["rgb"].shape == (4, 5, 6, 3)


def test_json_as_a_list_of_rows(tmp_path):
    path = tmp_path / "rows.json"
    content = [
        {"pose": [1, None], "text": None, "y": "cat"},
        {"age": 3, "pose": None},
        {"pose": [5, 6], "age": 7},
    ]
    path.write_text(json.dumps(content))
    inputs = datasets.read(path)
    assert list(inputs) == ["pose", "text", "age"]
    np.testing.assert_array_equal(inputs["pose"], [[1, NAN], [NAN, NAN], [5, 6]])
    np.testing.assert_array_equal(inputs["age"], [[NAN], [3], [7]])
    np.testing.assert_array_equal(inputs["text"], np.full((3, 1), NAN))


FAULTS = {
    "no features": ("csv:x.csv", "y\n1\n2\n", "at least one modality"),
    "no rows": ("csv:x.csv", "a_0,y\n", "at least one row; the data set is empty"),
    "empty file": ("csv:x.csv", "", "cannot be read as csv"),
    "ragged": ("csv:x.csv", "a_0,y\n1,2\n1\n", "cannot be read as csv"),
    "no label": ("csv:x.csv", "a_0,b\n1,2\n", "no label 'y'; there is a_0, b"),
    "no labels": ("csv:x.csv", "a_0,y\n1,\n3,\n4,\n", "label is missing .* row 0, 1"),
    "text": ("csv:x.csv", "a_0,a_1,y\n1,b,2\n", "numbers; 'a_1' holds 'b' in row 0"),
    "twice": ("csv:x.csv", "a_0,a_0,y\n1,1,2\n", "several columns are called a_0"),
    "no name": ("csv:x.csv", "_0,y\n1,2\n", "a name for every modality"),
    "Inf": ("csv:x.csv", "a_0,y\n1,2\ninf,3\n", "finite float32 numbers in 'a_0'"),
    "too large": ("csv:x.csv", "a_0,y\n1,2\n1e300,3\n", "1e\\+300 in row 1 "),
    "nowhere": (
        "csv:x.csv",
        "a_0,b_0,y\n1,2,0\n,,1\n2,,0\n,,0\n",
        "every row needs at least one modality; none has a value in row 1, 3 ",
    ),
    "is_train": (
        "csv:x.csv",
        "a,is_train,y\n1,1,0\n2,2,1\n3,0,1\n",
        "expected is_train",
    ),
    "too few": (
        "csv:x.csv",
        "a_0,y\n1,0\n2,1\n",
        "2 rows .* leave none for validation",
    ),
    "no npz": ("npz:x.npz", "a_0,y\n", "cannot be read as npz .it is no zip archive"),
    "no parquet": ("parquet:x.parquet", "a_0,y\n", "cannot be read as parquet"),
    "missing": ("csv:y.csv", "", "y.csv: no such file"),
}


@pytest.mark.parametrize("name, content, message", FAULTS.values(), ids=FAULTS)
def test_faults(name, content, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name.partition(":")[2].replace("y.csv", "x.csv")).write_text(content)
    with pytest.raises(ValueError, match=message) as error:
        datasets.load(name)
    assert "\n" not in str(error.value)


NPZ_FAULTS = {
    "rows": ({"a": np.ones((3, 1)), "b": np.ones((2, 1))}, "{'a': 3, 'b': 2}"),
    "scalar": ({"a": np.ones(())}, r"received shape \(\)"),
    "no features": ({"a": np.ones((3, 0))}, r"received shape \(3, 0\)"),
    "text": ({"a": np.array(["x"])}, "numbers; 'a' holds text, such as 'x'"),
    "pickle": ({"a": np.array([{}])}, "the array 'a' holds Python objects"),
    "labels": ({"a": np.ones((3, 1)), "y": np.ones(2)}, r"labels in shape \(3,\)"),
}


@pytest.mark.parametrize("arrays, message", NPZ_FAULTS.values(), ids=NPZ_FAULTS)
def test_npz_faults(arrays, message, tmp_path):
    np.savez(tmp_path / "x.npz", **{"y": [0, 1, 0]} | arrays)
    with pytest.raises(ValueError, match=message):
        datasets.load(f"npz:{tmp_path / 'x.npz'}")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[1, 2]",
        "3",
        '{"a": 3}',
        '{"a": "12"}',
        '{"a": [[1, 2], [3]]}',
        '{"a": ["x"]}',
    ],
)
def test_json_faults(content, tmp_path):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(
        ValueError, match="x.json: (cannot be read|expected numbers; 'a' is)"
    ):
        datasets.read(tmp_path / "x.json")


def test_a_truncated_archive(tmp_path):
    path = write(tmp_path / "x.npz")
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(ValueError, match="cannot be read as npz"):
        datasets.read(path)


def test_read_of_another_kind(tmp_path):
    with pytest.raises(ValueError, match=r"ending in \.npz, \.csv, \.parquet, \.json"):
        datasets.read(tmp_path / "x.txt")


def test_without_pyarrow(tmp_path, monkeypatch):
    path = write(tmp_path / "x.csv")
    monkeypatch.setitem(sys.modules, "pyarrow.csv", None)
    with pytest.raises(ImportError, match=r"keras-fusion\[datasets\]"):
        datasets.read(path)


def test_masks_of_another_size_than_the_maps(tmp_path):
    arrays = {"rgb": np.ones((9, 4, 6, 3)), "y": np.arange(9 * 20).reshape(9, 5, 4) % 3}
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(ValueError, match=r"masks' size \(5, 4\); received .*\(4, 6\)"):
        datasets.load(f"npz:{tmp_path}/data.npz")
    np.savez(tmp_path / "data.npz", **arrays | {"rgb": np.ones((9, 5, 4, 3))})
    data = datasets.load(f"npz:{tmp_path}/data.npz")
    assert data.classes == 3 and data.train.labels.shape[1:] == (5, 4)
    with pytest.raises(ValueError, match="labels_per_class needs classes"):
        datasets.load(f"npz:{tmp_path}/data.npz", labels_per_class=1)
