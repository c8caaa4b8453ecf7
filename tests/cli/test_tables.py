"""A table with text and gaps, from training to predictions, by the command."""

import json

import pytest

from tests.cli.running import succeed

HATS = ("red", "old", "new")
ROWS = [
    f"{20 + i % 9 if i % 5 else ''},{'mf'[i % 2]},the {HATS[i % 3]} hat,{'nyy'[i % 3]}"
    f",P{i}"
    for i in range(60)
]
RECIPE = """\
dataset = "table:patients.csv"
label = "ill"
[arguments]
units = 4
[training]
epochs = 1
[modalities.clinic]
columns = ["age", "sex"]
[modalities."what was found"]
text = "findings"
"""


@pytest.mark.slow
def test_a_table_is_trained_on_and_predicted_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = ["age,sex,findings,ill,patient", *ROWS]
    (tmp_path / "patients.csv").write_text("\n".join(lines))
    (tmp_path / "patients.toml").write_text(RECIPE)
    said = succeed("train", "patients.toml", "--quiet")
    assert "what was found" in said and "category" in said
    model = "runs/patients/model/seed-0/model.keras"
    first = json.loads(succeed("predict", model, "patients.csv", "--json"))
    cells = [line.split(",") for line in lines]
    other = "\n".join(",".join([c[2], c[4] + "x", c[1], c[0]]) for c in cells)
    (tmp_path / "other.csv").write_text(other)  # another order, another column
    second = json.loads(succeed("predict", model, "other.csv", "--json"))
    assert first["class_names"] == ["n", "y"]
    assert second["probabilities"] == first["probabilities"]
    assert first["ids"] == [f"P{i}" for i in range(60)] and "notes" not in first
    left = "left over, since the model does not know it: patientx"
    assert second["notes"] == [left] and "ids" not in second


@pytest.mark.slow
@pytest.mark.only_on("tensorflow", reason="others export by TensorFlow, which is slow")
def test_an_export_knows_the_label_and_what_was_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = ["age,sex,findings,ill,patient", *ROWS]
    (tmp_path / "patients.csv").write_text("\n".join(lines))
    numbers = ["a_0,a_1,ill,patient"]
    numbers += [f"{i % 7},{i % 5},{'nyy'[i % 3]},P{i}" for i in range(60)]
    (tmp_path / "numbers.csv").write_text("\n".join(numbers))
    own = RECIPE.replace("table:patients", "csv:numbers").partition("[modalities")[0]
    own = own.replace('label = "ill"', 'label = "ill"\nignore = ["patient"]')
    recipes = {"patients": RECIPE, "numbers": own}
    for name, recipe in recipes.items():
        (tmp_path / f"{name}.toml").write_text(recipe)
        succeed("train", f"{name}.toml", "--quiet")
        succeed("export", f"{name}.toml")
        out = succeed("predict", f"saved_models/{name}", f"{name}.csv", "--json")
        found = json.loads(out)
        assert "notes" not in found
        assert found["ids"] == [f"P{i}" for i in range(60)]
