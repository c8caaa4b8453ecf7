"""Files that lie about themselves end in one sentence, and take no memory first."""

import io
import json
import tempfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_fusion import datasets
from keras_fusion.datasets import DataError
from keras_fusion.datasets.files.parts import parts

ROWS = 30
A = np.random.default_rng(0).normal(size=(ROWS, 2))


def whole(kind):
    content = io.BytesIO()
    if kind == "npz":
        np.savez_compressed(content, a=A, y=np.arange(ROWS) % 2)
    else:
        lists = pa.array(A.tolist())
        table = pa.table({"a": lists, "b_0": A[:, 0], "y": ["no", "yes"] * (ROWS // 2)})
        pyarrow.parquet.write_table(table, content)
    return content.getvalue()


WHOLE = {kind: whole(kind) for kind in ("npz", "parquet")}


def test_a_nan_that_signals_is_a_gap(tmp_path):
    a = A.copy()
    a.view(np.uint64)[3, 0] = 0x7FF0000000000001
    np.savez(tmp_path / "x.npz", a=a, y=np.arange(ROWS) % 2)
    data = datasets.load(f"npz:{tmp_path / 'x.npz'}")
    parts = (data.train, data.validation, data.test)
    assert sum(np.count_nonzero(part.inputs["a"] == 0) for part in parts) == 1
    assert all(np.isfinite(part.inputs["a"]).all() for part in parts)


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(list(WHOLE)),
    place=st.floats(0, 1, exclude_max=True),
    byte=st.integers(0, 255),
    cut=st.booleans(),
)
def test_damage_anywhere_is_one_sentence_or_none(kind, place, byte, cut):
    content = bytearray(WHOLE[kind])
    content[int(place * len(content))] = byte
    if cut:
        content = content[: int(place * len(content))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x.{kind}"
        path.write_bytes(content)
        for read in (datasets.read, lambda path: datasets.load(f"{kind}:{path}")):
            try:
                read(path)
            except DataError as error:
                assert "\n" not in str(error)


def test_text_that_is_no_utf8(tmp_path):
    text = pa.array([b"x", b"\x80", b"y"]).view(pa.string())
    path = tmp_path / "x.parquet"
    pyarrow.parquet.write_table(pa.table({"a": [1.0, 2.0, 3.0], "y": text}), path)
    with pytest.raises(DataError, match="cannot be read as parquet"):
        datasets.load(f"parquet:{path}")
    with pytest.raises(DataError, match="cannot be read as parquet"):
        list(parts(path, 2))


@pytest.mark.parametrize("shape", [(10**12,), (10**6, 10**6), (-1,), (2**62, 4)])
def test_an_array_that_declares_more_than_it_holds(shape, tmp_path):
    header = io.BytesIO()
    described = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, described)
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", header.getvalue() + bytes(64))
    tracemalloc.start()
    with pytest.raises(DataError, match="x.npz: the array 'a' "):
        datasets.read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**22


def test_a_header_without_an_end(tmp_path):
    content = io.BytesIO()
    np.save(content, A)
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("a.npy", content.getvalue().replace(b"(30,", b"((((", 1))
    with pytest.raises(DataError, match="x.npz: the array 'a' cannot be read"):
        datasets.read(tmp_path / "x.npz")


TABLES = {
    "a mark": ("a,y\n1,u\n?,v\n", r"'a' holds '\?' in row 1 .*An empty cell is a miss"),
    "a dash": ("a,y\n1,u\n-,v\n", "'a' holds '-' in row 1"),
    "thousands": ('a,y\n1,u\n"1,200",v\n', r"'1,200' in row 1 \(write 1200.5, not"),
    "decimal comma": ("a;y\n1;u\n2,5;v\n", r"'2,5' in row 1 \(write 1200.5, not"),
    "all at once": (
        "a,sex,born,y\n1,m,2001-02-03,u\n2,f,2002-02-03,v\n",
        r"'sex' holds 'm' in row 0, 'born' holds '2001-02-03' in row 0 .*"
        r'ignore = \["sex", "born"\], or name the file as table:FILE',
    ),
}


@pytest.mark.parametrize("content, message", TABLES.values(), ids=TABLES)
def test_what_people_write_into_tables(content, message, tmp_path):
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        datasets.load(f"csv:{tmp_path / 'x.csv'}")


def test_letters_of_another_code(tmp_path):
    (tmp_path / "x.csv").write_bytes("a,y\n1,nein\n2,schön\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"line 3 is no UTF-8 text \(byte 0xf6\)"):
        datasets.load(f"csv:{tmp_path / 'x.csv'}")


def rows(**columns):
    lines = [",".join(columns)]
    lines += [",".join(map(str, row)) for row in zip(*columns.values())]
    return "\n".join(lines)


def test_columns_that_number_the_rows_are_left_out_with_a_word(tmp_path):
    (tmp_path / "x.csv").write_text(
        rows(
            **{"": range(ROWS)},
            id=[f"p{i}" for i in range(ROWS)],
            age=[i % 7 + 0.5 for i in range(ROWS)],
            sex=["mf"[i % 2] for i in range(ROWS)],
            seconds=range(1700000000, 1700000000 + ROWS),
            y=["no", "yes"] * (ROWS // 2),
        )
    )
    data = datasets.load(f"csv:{tmp_path / 'x.csv'}", ignore=["sex"])
    assert list(data.input_shapes) == ["age", "seconds"]
    assert data.left_out == ("", "id", "sex")
    said = " ".join(data.notes)
    for words in ("'' : it", "'id': its every", "'seconds' is a different whole"):
        assert words.replace("'' :", "'':") in said


def test_pandas_marks_its_index_in_a_parquet_file(tmp_path):
    columns = {"a": A[:, 0], "y": ["no", "yes"] * (ROWS // 2)}
    table = pa.table(columns | {"__index_level_0__": np.arange(ROWS)[::-1]})
    about = {"index_columns": ["__index_level_0__"], "columns": []}  # as pandas has it
    table = table.replace_schema_metadata({"pandas": json.dumps(about)})
    pyarrow.parquet.write_table(table, tmp_path / "x.parquet")
    data = datasets.load(f"parquet:{tmp_path / 'x.parquet'}")
    assert list(data.input_shapes) == ["a"]
    assert data.left_out == ("__index_level_0__",)


def test_parquet_lists_and_decimals_are_modalities(tmp_path):
    table = {
        "embedding": pa.array([None, *A[1:].tolist()]),
        "clip": pa.array([[[1, 2], [3, 4]]] * ROWS),
        "price": pa.array(np.arange(ROWS) / 4).cast(pa.decimal128(9, 2)),
    }
    pyarrow.parquet.write_table(pa.table(table), tmp_path / "x.parquet")
    inputs = datasets.read(tmp_path / "x.parquet")
    np.testing.assert_array_equal(inputs["embedding"][1:], A[1:])
    assert np.isnan(inputs["embedding"][0]).all()
    assert inputs["clip"].shape == (ROWS, 2, 2)
    np.testing.assert_array_equal(inputs["price"][:, 0], np.arange(ROWS) / 4)


def test_rows_without_a_label_are_left_out_and_counted(tmp_path):
    labels = ["no", "yes", "", *["no", "yes"] * 10]
    values = [i + 0.5 for i in range(len(labels))]
    (tmp_path / "x.csv").write_text(rows(a=values, y=labels))
    data = datasets.load(f"csv:{tmp_path / 'x.csv'}")
    assert "left out 1 row without a label" in data.notes
    assert sum(len(p.labels) for p in (data.train, data.validation, data.test)) == 22


def test_whole_numbers_with_many_values_are_a_question(tmp_path):
    (tmp_path / "x.csv").write_text(rows(a=A[:, 0], y=range(ROWS)))
    path = f"csv:{tmp_path / 'x.csv'}"
    with pytest.raises(DataError, match="30 different whole numbers.*task = "):
        datasets.load(path)
    assert datasets.load(path, task="regression").classes == 1
