"""Tables as people have them, and what is wrong with them."""

import numpy as np
import pytest

from keras_fusion import datasets
from keras_fusion.datasets import DataError
from keras_fusion.datasets.columns.reading import read_columns

ROWS = 40
EUROPEAN = "\ufeff;größe (cm);sex;when;y\n" + "".join(
    f"{i};{'' if i % 7 == 0 else f'1.{i:03},5'};{'mf'[i % 2]};{1 + i % 28}.2.2021;"
    f"{'' if i == 5 else 'ab'[i % 3 == 0]}\n"
    for i in range(ROWS)
)


@pytest.fixture
def patients(tmp_path):
    path = tmp_path / "patients.csv"
    path.write_text(EUROPEAN, encoding="utf-8")
    return path


def test_a_european_file_of_pandas_is_understood(patients):
    data = datasets.load(f"table:{patients}", label="y")
    kinds = {name: kind for name, _, kind, _ in data.preprocessor.describe()}
    assert kinds == {
        "größe (cm)": "number",
        "sex": "category",
        "when": "date",
        "": "left out",
    }
    assert data.class_names == ("a", "b") and data.input_shapes == {"table": (9,)}
    assert "1 row without a label 'y' is left out" in data.notes
    assert sum(len(x.labels) for x in (data.train, data.validation, data.test)) == 39


def test_what_prepares_is_learned_from_training_rows_alone(patients):
    data = datasets.load(f"table:{patients}", label="y")
    numbers = data.train.inputs["table"][:, 0]
    there = data.train.inputs["table"][:, 1] == 0
    assert abs(numbers[there].mean()) < 1e-6 and abs(numbers[there].std() - 1) < 1e-6


def test_no_group_is_on_two_sides(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{i % 9},{'xy'[i % 2]},{i % 4}" for i in range(90)]
    path.write_text("\n".join(["patient,kind,y", *rows]))
    data = datasets.load(f"table:{path}", label="y", groups="patient")
    assert "patient" in data.left_out and list(data.columns["table"]) == ["kind"]


def test_a_column_that_decides_the_split_may_be_an_input_where_a_recipe_says_so():
    table = {"patient": ["a", "b", "c", "d", "e"] * 20, "y": ["x", "y"] * 50}
    with pytest.raises(DataError, match="'patient': it is no input"):
        datasets.table(table, label="y", groups="patient")
    spec = {"who": {"columns": ["patient"]}}
    data = datasets.table(table, label="y", groups="patient", modalities=spec)
    assert data.columns == {"who": ("patient",)} and data.left_out == ()


def test_files_of_a_folder_are_one_table(patients):
    whole = read_columns(patients)
    for part, rows in (("a.csv", slice(0, 10)), ("b.tsv", slice(10, None))):
        lines = EUROPEAN.splitlines()
        text = "\n".join([lines[0], *lines[1:][rows]])
        mark = "\t" if part == "b.tsv" else ";"
        target = patients.parent / "parts" / part
        target.parent.mkdir(exist_ok=True)
        target.write_text(text.replace(";", mark), encoding="utf-8")
    for name in ("parts", "parts/*.?sv"):
        found = read_columns(patients.parent / name)
        assert found.keys() == whole.keys()
        assert all((found[column] == whole[column]).all() for column in whole)


def test_columns_in_memory_may_be_of_any_type():
    table = {
        "when": np.array(["2024-01-01", "NaT"], "datetime64[s]").repeat(20),
        "size": [1, 2.5, None, "4"] * 10,
        "good": [True, False] * 20,
        "y": np.arange(ROWS) / 7,
    }
    data = datasets.table(table, label="y")
    assert data.classes == 1 and data.target is not None
    kinds = [kind for _, _, kind, _ in data.preprocessor.describe()]
    assert kinds == ["date", "number", "boolean"]


@pytest.mark.parametrize(
    "text, options, message",
    [
        ("a,a,y\n1,2,3\n", {}, "several columns are called a"),
        ("a,b\n1,2\n", {}, "no column 'y'; there is a, b"),
        ("a,y\n" + "1,x\n2,x\n3,x\n" * 9, {}, "at least two classes"),
        ("a,y\n" + "1,\n" * 9, {}, "the label 'y' is missing in every row"),
        (
            "a,y\n" + ",1\n,2\n" * 9,
            {},
            "no column is left to learn from: 'a': it is em",
        ),
        ("a,y\n" + "1,1\n2,2\n" * 9, {"ignore": ["b"]}, "no column 'b'"),
        ("a,y\n" + "1,1\n2,2\n" * 9, {"group_by": "size"}, "group_by"),
    ],
)
def test_a_fault_is_one_sentence(tmp_path, text, options, message):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        datasets.load(f"table:{path}", label="y", **options)


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        datasets.load(f"table:{tmp_path / 'no.csv'}", label="y")


def test_a_value_that_cannot_be_read_is_said_with_its_row_in_the_file():
    ages = np.array([str(i) for i in range(ROWS)], object)
    labels = np.array(["a", "b"] * (ROWS // 2), object)
    labels[[0, 3]] = None  # the numbers of rows count those that are left out, too
    ages[[7, 9, 20, 30]] = "?", "-", "1,200", "x"
    table = {"age": ages, "sex": ["m", "f", "f"] * 13 + ["m"], "y": labels}
    spec = {"table": {"columns": {"age": "number", "sex": "category"}}}
    data = datasets.table(table, label="y", modalities=spec)
    assert (
        "4 values of 'age' cannot be read as number, and count as missing: '?' in row "
        "7, '-' in row 9, '1,200' in row 20 and 1 more (rows are counted from 0)"
    ) in data.notes
    assert "2 rows without a label 'y' are left out" in data.notes


def test_a_class_that_a_part_lacks_is_noted():
    table = {"x": np.arange(41) / 3, "y": [*"ab" * 20, "c"]}
    table["is_train"] = [label != "c" for label in table["y"]]
    data = datasets.table(table, label="y")
    assert "no training row is of class c, so no model learns it" in data.notes
    data = datasets.table(table | {"is_train": [True] * 35 + [False] * 6}, label="y")
    assert "no validation row is of class c, so it counts in no choice" in data.notes
