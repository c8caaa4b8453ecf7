"""Laws of names: no order of columns counts, and labels come out as they went in."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_fusion import datasets
from keras_fusion.datasets import DataError, Schema

ROWS = 12
NAMES = ("a_x", "a_y", "b_x", "b_y", "mean radius (cm)")
SCHEMA = Schema(
    {"a": ("a_x", "a_y"), "b": ("b_x", "b_y"), "mean radius (cm)": NAMES[4:]},
    left_out=("Unnamed: 0",),
)
RNG = np.random.default_rng(0)
COLUMNS = {name: RNG.normal(size=ROWS) for name in NAMES}
OTHERS = {
    "y": np.array(["no", "yes"] * (ROWS // 2)),
    "Unnamed: 0": np.arange(ROWS),
    "note": np.array(["some text"] * ROWS),
}
KINDS = ("csv", "parquet", "json", "npz")


def write(folder, kind, columns):
    path = Path(folder) / f"rows.{kind}"
    if kind == "npz":
        np.savez(path, **columns)
    elif kind == "json":
        rows = [
            dict(zip(columns, row))
            for row in zip(*(x.tolist() for x in columns.values()))
        ]
        path.write_text(json.dumps(rows), encoding="utf-8-sig")  # with its mark
    else:
        module = pyarrow.csv.write_csv if kind == "csv" else pyarrow.parquet.write_table
        module(pa.table({n: pa.array(x) for n, x in columns.items()}), path)
    return path


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(KINDS), st.permutations([*NAMES, *OTHERS]), st.integers(0, 3))
def test_columns_are_matched_by_name(kind, order, further):
    everything = COLUMNS | OTHERS
    chosen = [n for n in order if n in COLUMNS or n in list(OTHERS)[:further]]
    with tempfile.TemporaryDirectory() as folder:
        path = write(folder, kind, {name: everything[name] for name in chosen})
        rows = datasets.read_rows(path, SCHEMA)
    assert list(rows.inputs) == list(SCHEMA.modalities)
    for modality, names in SCHEMA.modalities.items():
        expected = np.stack([COLUMNS[name] for name in names], axis=1)
        np.testing.assert_allclose(rows.inputs[modality], expected)
    left_over = ["left over, since the model does not know it: note"]
    assert list(rows.notes) == (left_over if further == 3 else [])
    if further > 1:
        assert rows.ids[0] == "Unnamed: 0"
        assert list(map(int, rows.ids[1])) == list(range(ROWS))


@pytest.mark.parametrize("kind", KINDS)
def test_a_modality_that_is_left_out_is_absent(kind, tmp_path):
    columns = {n: x for n, x in COLUMNS.items() if not n.startswith("b")}
    rows = datasets.read_rows(write(tmp_path, kind, columns), SCHEMA)
    assert np.isnan(rows.inputs["b"]).all() and rows.inputs["b"].shape == (ROWS, 1)
    assert rows.notes == ("the modality 'b' is absent: there is no b_x, b_y",)


def test_what_is_missing_is_named(tmp_path):
    columns = {n: x for n, x in COLUMNS.items() if n not in ("a_y", "b_x")}
    path = write(tmp_path, "csv", columns)
    with pytest.raises(DataError, match="'a' lacks a_y; 'b' lacks b_x. Leave out all"):
        datasets.read_rows(path, SCHEMA)
    path = write(tmp_path, "csv", {"c_x": COLUMNS["a_x"]})
    with pytest.raises(DataError, match=r"trained on \(a_x, a_y, .*there is c_x"):
        datasets.read_rows(path, SCHEMA)
    path = write(tmp_path, "csv", COLUMNS | {"b_y": OTHERS["note"]})
    with pytest.raises(
        DataError, match=r"'b_y' holds 'some text' in row 0 .*takes num"
    ):
        datasets.read_rows(path, SCHEMA)


def test_arrays_are_matched_by_name(tmp_path):
    a = RNG.normal(size=(ROWS, 2))
    path = tmp_path / "rows.npz"
    np.savez(path, b=a, a=2 * a)
    rows = datasets.read_rows(path, SCHEMA)
    np.testing.assert_array_equal(rows.inputs["a"], 2 * rows.inputs["b"])


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(12)))
def test_features_of_an_array_are_columns_by_number(order):
    columns = {f"a_{i}": np.full(3, float(i)) for i in order}  # a_10 is behind a_9
    with tempfile.TemporaryDirectory() as folder:
        path = write(folder, "csv", columns)
        rows = datasets.read_rows(path, Schema({"a": ()}))
    np.testing.assert_array_equal(rows.inputs["a"], np.tile(np.arange(12.0), (3, 1)))


def test_a_schema_is_json():
    assert Schema.from_json(json.loads(json.dumps(SCHEMA.to_json()))) == SCHEMA
    for wrong in ([], {}, {"modalities": 3, "label": "y", "left_out": []}):
        with pytest.raises(DataError):
            Schema.from_json(wrong)


LABELS = {
    "zeros in front": ["00501", "501", "00501"],
    "NA is a class": ["NA", "EU", "NA"],
    "None is a class": ["None", "null", "nan"],
    "numbers": [10, 9, 10],
    "yes and no": [True, False, True],
    "unicode": ["é", "ü b", "日本"],
    "spaces": [" a", "a", "a "],
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("kind", ["csv", "parquet", "npz"])
def test_labels_come_out_as_they_went_in(labels, kind, tmp_path):
    labels = np.array(labels * 10)
    path = tmp_path / f"rows.{kind}"
    if kind == "csv":
        path.write_text(
            "\n".join(["a,y", *(f"{i / 7},{x}" for i, x in enumerate(labels))])
        )
    else:
        write(tmp_path, kind, {"a": np.arange(30) / 7, "y": labels})
    data = datasets.load(f"{kind}:{path}")
    assert set(data.class_names) == set(map(str, labels.tolist()))
    mean, std = data.statistics["a"]
    for split in (data.train, data.validation, data.test):
        rows = np.round((split.inputs["a"] * std + mean)[:, 0] * 7).astype(int)
        found = np.array(data.class_names)[split.labels]
        assert found.tolist() == labels[rows].astype(str).tolist()


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    content=st.binary(max_size=60)
    | st.text("a_0,y\n\"';[]{}:1.e-NIf\t", max_size=60).map(str.encode)
    | st.sampled_from([b"PK\x03\x04", b"PAR1" * 3, b"[" * 5000, b'{"a": [1e999, 2]}'])
    | st.just(("[" + "1" * 400 + "]").encode()),
)
def test_no_file_ends_in_another_error(kind, content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"rows.{kind}"
        path.write_bytes(content)
        for read in (
            datasets.read,
            lambda path: datasets.read_rows(path, SCHEMA),
            lambda path: datasets.load(f"{kind}:{path}"),
        ):
            try:
                read(path)
            except DataError as error:
                assert "\n" not in str(error)
