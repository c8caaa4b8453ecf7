"""A table with text and gaps, from training to predictions, by the command."""

import json

import pytest

from tests.cli.running import succeed

HATS = ("red", "old", "new")
ROWS = [
    f"{20 + i % 9 if i % 5 else ''},{'mf'[i % 2]},the {HATS[i % 3]} hat,{'nyy'[i % 3]}"
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
    lines = ["age,sex,findings,ill", *ROWS]
    (tmp_path / "patients.csv").write_text("\n".join(lines))
    (tmp_path / "patients.toml").write_text(RECIPE)
    said = succeed("train", "patients.toml", "--quiet")
    assert "what was found" in said and "category" in said
    model = "runs/patients/model/seed-0/model.keras"
    first = json.loads(succeed("predict", model, "patients.csv", "--json"))
    cells = [line.split(",") for line in lines]
    other = "\n".join(",".join([c[2], "x", c[1], c[0]]) for c in cells)
    (tmp_path / "other.csv").write_text(other)  # another order, another column
    second = json.loads(succeed("predict", model, "other.csv", "--json"))
    assert first["class_names"] == ["n", "y"]
    assert second["probabilities"] == first["probabilities"]
