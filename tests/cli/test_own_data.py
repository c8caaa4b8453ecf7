"""A table of one's own, from `init` to a model that predicts."""

import re

import numpy as np
import pytest

from keras_fusion.experiments import own_data, recipes
from keras_fusion.tuning.results import read
from tests.cli.running import run, succeed
from tests.experiments import runs

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A csv of the columns a_0, ..., b_2 and the label kind."""
    arrays = runs.arrays(60)
    labels = arrays.pop("y")
    names = [f"{m}_{i}" for m, x in arrays.items() for i in range(x.shape[1])]
    cells = np.concatenate(list(arrays.values()), axis=1)
    lines = [",".join([*names, "kind"])]
    for row, label in zip(cells, labels, strict=True):
        numbers = ("" if np.isnan(x) else f"{x:.4f}" for x in row)
        lines.append(",".join([*numbers, label]))
    path = tmp_path_factory.mktemp("own") / "patients.csv"
    path.write_text("\n".join(lines))
    return path


def test_init_writes_what_it_understood(table):
    out = succeed("init", table, "--label", "kind")
    written = table.with_suffix(".toml")
    assert f"keras-fusion train {written}" in out
    text = written.read_text()
    for words in (
        "60 rows: ",
        "# b: b_0, b_1, b_2",
        'task = "classification"',
        "(33%)",
    ):
        assert words in text
    recipe = recipes.read(str(written))
    assert recipe.training.patience and recipe.arguments["fusion"]
    assert recipe.arguments["linear_path"]
    assert list(recipes.load_data(recipe, 0).input_shapes) == ["a", "b"]
    status, _, err = run("init", table, "--label", "kind")
    assert status == 2 and "is there already" in err


def test_init_says_which_labels_and_classes_are_lost(tmp_path):
    labels = ["a", "b"] * 20 + ["once", ""]
    rows = [f"{i * i % 7},{label}" for i, label in enumerate(labels)]
    (tmp_path / "t.csv").write_text("\n".join(["x,kind", *rows]))
    out = succeed("init", tmp_path / "t.csv", "--label", "kind")
    assert "1 row without a label 'kind' is left out" in out
    assert "no validation row is of class once" in out
    assert "no test row is of class once" in out


@pytest.mark.slow
def test_a_wrong_label_leaves_nothing_that_stands_in_the_way(table, tmp_path, quick):
    given = ["tune", table, "--runs", tmp_path, "--trials", 1, "--epochs", 1]
    status, _, err = run(*given, "--label", "kinds")
    assert status == 2 and "no column 'kinds'" in err
    assert "1 trials completed" in succeed(*given, "--label", "kind")
    status, _, err = run(*given, "--label", "b_0")
    assert status == 2 and "differs in label" in err


@pytest.mark.slow
def test_a_table_is_searched_without_a_search_file(table, tmp_path, quick, monkeypatch):
    given = ["tune", table, "--label", "kind", "--runs", tmp_path]
    out = succeed(*given, "--trials", 5, "--epochs", 1)
    (path,) = tmp_path.glob("patients-*/results.json")
    assert f"wrote {path}" in out and "linear model" in out
    found = read(path)
    assert [t.status for t in found.trials] == ["completed"] * 5
    names = {"Concatenation", "ScalarWeighting", "late average", "only-a", "only-b"}
    assert {t.fusion for t in found.trials} == names
    fused = found.trials[0].recipe["arguments"]
    assert fused["linear_path"] and fused["heads"] == "average"
    assert fused["units"] and found.search.label == "kind"
    recipe = tmp_path / "mine.toml"
    succeed("init", table, "--label", "kind", "--output", recipe)
    monkeypatch.chdir(table.parent)  # which may name the files under it
    settings = "tune", recipe, "--runs", tmp_path, "--trials", 1, "--epochs", 1
    assert "Concatenation" in succeed(*settings)
    status, _, err = run(*given, "--publish")
    assert status == 2 and "--publish writes beside search.toml" in err


@pytest.mark.slow
def test_a_table_trains_without_a_recipe(table, quick, tmp_path):
    options = "--label", "kind", "--epochs", 1, "--quiet", "--runs", tmp_path
    out = succeed("train", table, *options)
    name = own_data.name_of(f"csv:{table}")
    model = tmp_path / name / "model" / "seed-0" / "model.keras"
    assert f"keras-fusion predict {model} FILE" in out
    assert "validation accuracy" in out
    assert re.search(r"the network has \d+% of it for rows with all modalities", out)
    assert "59 more rows" in succeed("predict", model, table, "--rows", 1)


@pytest.mark.parametrize(
    "said",
    [{"task": "ordinal"}, {"order": ("a", "b")}, {"time": "days"}, {"task": "risk"}],
)
def test_what_no_linear_model_fits_has_none(said):
    assert not own_data.recipe_for("t.csv", "y", **said).arguments["linear_path"]


def test_two_files_of_one_name_have_runs_of_their_own(tmp_path):
    names = [own_data.name_of(f"csv:{tmp_path}/{x}/mine.csv") for x in "ab"]
    assert names[0] != names[1] and all(n.startswith("mine-") for n in names)
    assert names[0] == own_data.name_of(f"csv:{tmp_path}/a/../a/mine.csv")
