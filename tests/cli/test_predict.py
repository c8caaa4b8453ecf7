import csv
import dataclasses
import json
import shutil

import numpy as np
import pyarrow.parquet
import pytest

from keras_fusion import datasets
from keras_fusion.datasets.files import Rows
from keras_fusion.experiments import comparison, prediction, recipes, record
from tests.cli.running import run, succeed
from tests.experiments import runs


def features(folder, rows=4):
    """The same raw rows as npz, csv and json, one modality and one cell missing."""
    inputs = {name: runs.arrays()[name][20 : 20 + rows] for name in runs.WIDTHS}
    np.savez(folder / "rows.npz", **inputs)
    header = [f"{m}_{i}" for m, width in runs.WIDTHS.items() for i in range(width)]
    flat = np.concatenate(list(inputs.values()), axis=1)
    with (folder / "rows.csv").open("w", newline="") as file:
        cells = [["" if np.isnan(v) else repr(float(v)) for v in r] for r in flat]
        csv.writer(file).writerows([header, *cells])
    rows = [{m: _row(x[i]) for m, x in inputs.items()} for i in range(rows)]
    (folder / "rows.json").write_text(json.dumps(rows))
    return [folder / f"rows.{kind}" for kind in ("npz", "csv", "json")]


def _row(x):
    nothing = np.isnan(x).all()
    return None if nothing else [None if np.isnan(v) else float(v) for v in x]


def test_predict_from_every_kind_of_file(trained, tmp_path):
    files = features(tmp_path)
    found = [json.loads(succeed("predict", trained[0], f, "--json")) for f in files]
    assert found[0]["class_names"] == ["blue", "green", "red"]
    for key in ("probabilities", "modality_weights"):
        for other in found[1:]:
            np.testing.assert_allclose(other[key], found[0][key], atol=1e-6)
    first = found[0]["modality_weights"][0]
    assert first == pytest.approx([0, 1])  # a is absent there
    recipe = recipes.read(str(trained[0].parents[4]))
    data = recipes.load_data(recipe, 0)
    raw = {m: runs.arrays()[m][20:24] for m in runs.WIDTHS}
    standardized, _ = datasets.standardize(raw, data.statistics)
    model = comparison.trained(recipe, data, trained[0].parent)
    mask = {"modality_mask": datasets.modality_mask(raw)}
    expected = model.predict(standardized | mask, verbose=0)
    np.testing.assert_allclose(found[0]["probabilities"], expected, atol=1e-5)


def test_predict_prints_a_table(trained, tmp_path):
    path = features(tmp_path)[0]
    out = succeed("predict", trained[0], path, "--rows", 3)
    lines = [line.split() for line in out.splitlines()]
    assert ["row", "class", "probability", "a", "b"] in lines
    first = next(line for line in lines if line[:1] == ["0"])
    assert first[1] in ("blue", "green", "red")
    assert first[3:] == ["–", "1.00"]
    assert "1 more rows" in out


def test_contributions_add_up_to_the_prediction(trained, tmp_path):
    path = features(tmp_path)[1]
    out = tmp_path / "found.csv"
    command = "predict", trained[0], path, "--contributions"
    found = json.loads(succeed(*command, "--json"))
    assert found["contributions"][0][0] == 0  # a is absent there
    best = np.argmax(found["probabilities"], axis=1)
    nothing = np.full((1, 5), np.nan), np.full((1, 3), np.nan)
    base = prediction.predict(trained[0], dict(zip("ab", nothing)))["probabilities"][0]
    whole = base[best] + np.sum(found["contributions"], axis=1)
    np.testing.assert_allclose(whole, np.max(found["probabilities"], axis=1), atol=1e-5)
    assert np.abs(found["contributions"]).max() > 0.05
    lines = succeed(*command, "--output", out), out.read_text().splitlines()[0]
    assert '"contribution a","contribution b"' in lines[1]
    written = list(csv.DictReader(out.read_text().splitlines()))
    assert float(written[1]["contribution b"]) == found["contributions"][1][1]
    assert "a adds" in succeed(*command)


def test_what_users_call_things_is_no_markup(tmp_path, monkeypatch):
    def predict(model, inputs):
        return {"probabilities": np.array([[0.9, 0.1]])}

    monkeypatch.setattr(prediction, "predict", predict)
    monkeypatch.setattr(
        prediction, "class_names", lambda model, outputs: ["[red]", "b"]
    )
    monkeypatch.setattr(prediction, "modalities", lambda model: ["a"])
    rows = Rows({}, None, ())
    monkeypatch.setattr(prediction, "read_rows", lambda model, file: rows)
    assert "[red]" in succeed("predict", "m.keras", "x.npz")


def test_regression_on_a_csv_file(home, tmp_path):
    arrays = runs.arrays()
    target = np.nansum(arrays["b"], axis=1) / 3 + 0.25
    columns = {f"{m}_{i}": arrays[m][:, i] for m in runs.WIDTHS for i in (0, 1)}
    columns |= {"target": target}
    path = tmp_path / "own.csv"
    with path.open("w", newline="") as file:
        rows = [["" if np.isnan(v) else v for v in r] for r in zip(*columns.values())]
        csv.writer(file).writerows([list(columns), *rows])
    options = "--label", "target", "--epochs", 2, "--runs", tmp_path / "runs"
    out = succeed("train", home, "--dataset", f"csv:{path}", "--quiet", *options)
    assert "imputed 10 NaN cells of modality 'b'" in out
    model = next(tmp_path.rglob("model.keras"))
    schema = json.loads((model.parent / "inputs.json").read_text())
    assert schema["label"] == "target"
    assert schema["modalities"]["b"] == ["b_0", "b_1"]
    found = json.loads(succeed("predict", model, _without_label(path), "--json"))
    again = json.loads(succeed("predict", model, _reordered(path), "--json"))
    assert again.pop("ids") == [f"row {i}" for i in range(100)]
    left_over = "left over, since the model does not know it: more"
    assert again.pop("notes") == [left_over, *found.pop("notes")]
    assert again == found
    assert np.shape(found["predictions"]) == (100, 1)
    assert "prediction" in succeed("predict", model, _without_label(path))


@pytest.mark.parametrize(
    ("share", "said", "columns"),
    [
        ((0.42, 0.3), "has 42% of the blend with a linear model for rows with", "ab"),
        ((0.42, 0.42), "inside the network, which has 42% of the blend", "ab"),
        ((0.0, 0.004), "say nothing: they are of the network, which has 0% of", ""),
    ],
)
def test_whose_the_weights_are_is_said(trained, share, said, columns, tmp_path):
    """In the table, in files that are written at once and those written by parts."""
    folder = shutil.copytree(trained[0].parent, tmp_path / "run")
    blended = dataclasses.replace(record.read(folder), network_share=share)
    blended.write(folder)
    model, (npz, table, _) = folder / "model.keras", features(tmp_path)
    out = succeed("predict", model, npz)
    assert said in out
    header = next(line.split() for line in out.splitlines() if "probability" in line)
    assert header == ["row", "class", "probability", *columns]
    for rows in (npz, table):
        assert said in succeed("predict", model, rows, "--output", tmp_path / "o.csv")
    assert said in json.loads(succeed("predict", model, npz, "--json"))["notes"][-1]


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".json"])
def test_predictions_go_into_files(trained, ending, tmp_path):
    rows = features(tmp_path)[1]
    out = tmp_path / f"out{ending}"
    succeed("predict", trained[0], rows, "--output", out)
    found = json.loads(succeed("predict", trained[0], rows, "--json"))
    if ending == ".json":
        written = json.loads(out.read_text())
    elif ending == ".csv":
        written = list(csv.DictReader(out.read_text().splitlines()))
    else:
        written = pyarrow.parquet.read_table(out).to_pylist()
    assert [row["class"] for row in written] == found["classes"]
    assert [int(row["row"]) for row in written] == [0, 1, 2, 3]
    for key, column in (("probability red", 2), ("weight b", 1)):
        full = found["probabilities" if column == 2 else "modality_weights"]
        written_numbers = [float(row[key]) for row in written]
        assert written_numbers == pytest.approx([x[column] for x in full])


def test_a_file_of_another_kind_is_refused_first(tmp_path):
    status, _, err = run("predict", "m.keras", "x.csv", "--output", tmp_path / "x.txt")
    assert status == 2 and "ends in" in err


def test_a_modality_that_is_left_out_is_absent(trained, tmp_path):
    rows = json.loads(features(tmp_path)[2].read_text())
    (tmp_path / "b.json").write_text(json.dumps([{"b": row["b"]} for row in rows]))
    found = json.loads(succeed("predict", trained[0], tmp_path / "b.json", "--json"))
    assert found["notes"] == ["the modality 'a' is absent: there is no a"]
    np.testing.assert_allclose(found["modality_weights"], [[0, 1]] * 4)


def _reordered(path):
    """The table with its columns the other way around, and three more."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    names = ["more", *reversed(rows[0]), "id"]
    with path.with_name("reordered.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        for number, row in enumerate(rows):
            writer.writerow(row | {"more": "text", "id": f"row {number}"})
    return path.with_name("reordered.csv")


def _without_label(path):
    lines = [line.rpartition(",")[0] for line in path.read_text().splitlines()]
    path.with_name("features.csv").write_text("\n".join(lines))
    return path.with_name("features.csv")


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_a_calibrated_model_predicts_sets(home, tmp_path):
    options = "--runs", tmp_path / "runs", "--calibrate", "--coverage", 0.8, "--quiet"
    succeed("train", home, "--seeds", 0, *options)
    model = next(tmp_path.rglob("model.keras"))
    rows = features(tmp_path)[1]
    found = json.loads(succeed("predict", model, rows, "--json"))
    names = np.array(found["class_names"])
    sets = [list(names[np.array(row) > 0]) for row in found["prediction_set"]]
    assert found["sets"] == sets and any(sets)
    out = tmp_path / "found.csv"
    succeed("predict", model, rows, "--output", out)
    written = [row["set"] for row in csv.DictReader(out.read_text().splitlines())]
    assert written == ["|".join(row) for row in sets]
    lines = [line.split() for line in succeed("predict", model, rows).splitlines()]
    assert ["row", "class", "probability", "set", "a", "b"] in lines
