"""Predictions of a table part by part: the same rows, in any part, after any kill."""

import csv
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from keras_fusion.common.errors import InputError
from keras_fusion.datasets.columns.reading import column_parts, read_columns
from keras_fusion.datasets.files.parts import parts
from keras_fusion.experiments import (
    prediction,
    prediction_parts,
    predictions,
    recipes,
    saving,
    training,
)

pytestmark = pytest.mark.only_on("torch", reason="no matter of the backend")

RECIPE = """
dataset = "table:{file}"
label = "ill"
[arguments]
units = 4
[training]
epochs = 1
patience = 0
"""
ROWS = 120


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of a table, and the table as csv and parquet."""
    folder = tmp_path_factory.mktemp("model")
    rng = np.random.default_rng(0)
    words = ["red spots", "no spots at all", "a sore throat", ""]
    rows = [
        {
            "age": "" if i % 9 == 0 else f"{rng.integers(1, 90)},5",
            "sex": "fm"[i % 2] if i > 60 else "",
            "report": f"{words[i % 4]} {'x' * (i % 4)}".strip(),
            "ill": ["no", "yes"][i % 2],
        }
        for i in range(ROWS)
    ]
    with (folder / "rows.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    columns = {name: [row[name] or None for row in rows] for name in rows[0]}
    parquet.write_table(pa.table(columns), folder / "rows.parquet", row_group_size=50)
    (folder / "tiny.toml").write_text(RECIPE.format(file=folder / "rows.csv"))
    recipe = recipes.read(str(folder / "tiny.toml"))
    data = recipes.load_data(recipe, 0)
    training.fit(recipe, data, 0, folder / "run")
    return saving.save_deployable(recipe, data, folder / "run"), folder


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(prediction_parts, "_MOST", 7)


def at_once(model, file, output):
    """What the command writes without parts."""
    rows = prediction.read_rows(model, file)
    outputs = prediction.predict(model, rows.inputs)
    names = prediction.class_names(model, outputs)
    predictions.save(output, outputs, names, prediction.modalities(model), rows.ids)
    return parquet.read_table(output).to_pandas()


def same(found, expected):
    assert list(found) == list(expected)
    for name in found:
        if found[name].dtype.kind == "f":
            np.testing.assert_allclose(found[name], expected[name], atol=1e-6)
        else:
            assert found[name].tolist() == expected[name].tolist()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(model, tmp_path, monkeypatch):
    monkeypatch.setattr(prediction_parts, "_MOST", 500)
    path, folder = model
    rows = parquet.read_table(folder / "rows.parquet")

    def peak(times):
        file = tmp_path / f"{times}.parquet"
        parquet.write_table(pa.concat_tables([rows] * times), file, row_group_size=500)
        tracemalloc.start()
        prediction_parts.write(path, file, tmp_path / f"out-{times}.parquet")
        _, found = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return found

    peak(10)  # what is imported and cached
    assert peak(200) - peak(20) < 2**20  # 21,600 rows take some MB


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_parts_are_the_whole(model, tmp_path, small, kind):
    path, folder = model
    file = folder / f"rows.{kind}"
    seen = []
    prediction_parts.write(path, file, tmp_path / "out.parquet", report=seen.append)
    assert max(np.diff([0, *seen])) <= 7 and seen[-1] == ROWS
    expected = at_once(path, file, tmp_path / "whole.parquet")
    same(parquet.read_table(tmp_path / "out.parquet").to_pandas(), expected)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "out.parquet",
        "whole.parquet",
    ]


def test_the_same_command_goes_on_after_a_kill(model, tmp_path, small, monkeypatch):
    path, folder = model
    count = []

    def dying(model):
        predict = loaded(model)

        def predicted(inputs):
            count.append(1)
            if len(count) == 4:
                raise KeyboardInterrupt
            return predict(inputs)

        predicted.shapes = predict.shapes
        return predicted

    loaded = prediction.Predictor
    monkeypatch.setattr(prediction, "Predictor", dying)
    write = [path, folder / "rows.csv", tmp_path / "out.csv"]
    with pytest.raises(KeyboardInterrupt):
        prediction_parts.write(*write)
    assert not write[2].exists()
    prediction_parts.write(*write)
    assert len(count) == -(-ROWS // 7) + 1  # the one that died
    expected = at_once(path, write[1], tmp_path / "whole.parquet")
    with write[2].open() as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == expected["class"].tolist()
    assert [int(row["row"]) for row in rows] == list(range(ROWS))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_parts_on_ray_are_those_of_one_process(model, tmp_path, small, monkeypatch):
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_worker_niceness", "0")  # a busy machine starves the others
    path, folder = model
    output, seen = tmp_path / "out.parquet", []

    def stop(rows):
        seen.append(rows)
        if len(seen) == 15:
            raise KeyboardInterrupt

    write = [path, folder / "rows.csv", output]
    with pytest.raises(KeyboardInterrupt):
        prediction_parts.write(*write, address="local", report=stop)
    done = len(list(tmp_path.glob(".out.parquet.parts/*.parquet")))
    assert done == 15
    # Any engine goes on with what another has done.
    answered, count = prediction_parts._answered, []
    monkeypatch.setattr(
        prediction_parts, "_answered", lambda *x: count.append(1) or answered(*x)
    )
    prediction_parts.write(*write)
    assert len(count) == -(-ROWS // 7) - done
    expected = at_once(path, write[1], tmp_path / "whole.parquet")
    same(parquet.read_table(output).to_pandas(), expected)


def test_parts_of_another_file_are_not_taken(model, tmp_path, small, monkeypatch):
    path, folder = model
    output = tmp_path / "out.parquet"
    monkeypatch.setattr(prediction_parts, "_join", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        prediction_parts.write(path, folder / "rows.csv", output)
    monkeypatch.undo()
    monkeypatch.setattr(prediction_parts, "_MOST", 7)
    short = tmp_path / "short.csv"
    lines = (folder / "rows.csv").read_text().splitlines()
    short.write_text("\n".join([lines[0], *lines[-10:]]))
    prediction_parts.write(path, short, output)
    assert parquet.read_metadata(output).num_rows == 10


def test_decimal_commas_are_those_of_the_whole_file(tmp_path):
    """1.234 is a thousand where another row of its column has a comma."""
    lines = ["a;b", *["1.234;1.234"] * 9, "1,5;2.5"]
    (tmp_path / "x.csv").write_text("\n".join(lines))
    whole = read_columns(tmp_path / "x.csv")
    cut = list(column_parts(tmp_path / "x.csv", 4))
    assert [len(part["a"]) for part in cut] == [4, 4, 2]
    for name in ("a", "b"):
        joined = np.concatenate([part[name] for part in cut])
        assert joined.tolist() == whole[name].tolist()
    assert whole["a"][0] == "1234" and whole["b"][0] == "1.234"


def test_a_broken_file_is_said(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"no parquet")
    with pytest.raises(InputError, match="x.parquet: cannot be read as parquet"):
        list(parts(tmp_path / "x.parquet", 3))
    (tmp_path / "x.csv").write_text("a,b\n1,2\n3\n")
    with pytest.raises(InputError, match="x.csv: cannot be read as csv"):
        list(parts(tmp_path / "x.csv", 3))


def test_notes_name_rows_by_their_numbers_in_the_whole_file(model, tmp_path, small):
    ages = ["12"] * 40
    ages[33] = "old"
    (tmp_path / "new.csv").write_text("\n".join(["age,sex", *(f"{a},f" for a in ages)]))
    notes = prediction_parts.write(model[0], tmp_path / "new.csv", tmp_path / "out.csv")
    assert any("'old' in row 33 (rows are counted from 0)" in note for note in notes)


def test_notes_on_later_rows_say_where_they_begin():
    notes = {"there is no column 'a'": 0, "1 value of 'b'": 700}
    assert prediction_parts._said(notes) == (
        "there is no column 'a'",
        "from row 700 on: 1 value of 'b'",
    )
    many = prediction_parts._said({f"note {i}": 7 * i for i in range(14)})
    assert len(many) == 11 and many[-1] == "and 4 more notes on later rows"
