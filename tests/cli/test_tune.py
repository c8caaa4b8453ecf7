"""`keras-fusion tune` as a user calls it."""

import json

import pytest

from keras_fusion import recipe as recipes
from keras_fusion.commands import promote
from keras_fusion.commands import tune as command
from keras_fusion.tuning import promotion
from tests import runs
from tests.cli.running import run, succeed
from tests.tuning.test_search import TEXT


def test_the_leaderboard_names_the_bar(tmp_path, quick):
    path = runs.write(tmp_path, TEXT)
    out = succeed("tune", path, "--trials", 3, "--runs", tmp_path / "runs")
    assert "3 trials completed" in out and "(3 of 3, about 0 min left)" in out
    results = json.loads((tmp_path / "runs" / "tiny" / "results.json").read_text())
    assert [t["trial"] for t in results["trials"]] == ["0000", "0001", "0002"]
    assert results["backend"] and results["search"]["search"]["trials"] == 3
    again = succeed("tune", path, "--trials", 3, "--runs", tmp_path / "runs")
    assert "trial 0" not in again  # nothing is left to run


def test_bad_input(tmp_path):
    status, _, err = run("tune", tmp_path / "nowhere")
    assert status == 2 and "There is no search" in err
    path = runs.write(tmp_path, TEXT)
    status, _, err = run("tune", path, "--tuner", "grid")
    assert status == 2 and "tuner must be one of halving" in err


@pytest.mark.slow
@pytest.mark.only_on("torch", reason="no backend changes it")
def test_from_two_searches_to_a_recipe(tmp_path, quick, monkeypatch):
    """Report, test against the other search, and the winner as a recipe."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "SEEDS", (0, 1))
    monkeypatch.setattr(promotion, "SEEDS", [0])
    exported = []
    monkeypatch.setattr(
        promote.export, "export", lambda *args, **_: exported.append(args)
    )
    path = runs.write(tmp_path, TEXT)
    other = tmp_path / "other.toml"
    lines = path.read_text().replace("[space]", '[space]\nfusion = ["Concatenation"]')
    kept = [line for line in lines.splitlines() if "Summation" not in line]
    other.write_text("baselines = false\n" + "\n".join(kept))
    options = "--trials", 2, "--runs", tmp_path / "runs"
    _, _, err = run("tune", path, *options, "--against", other)
    assert "run `keras-fusion tune" in err and "other.toml` first" in err
    succeed("tune", other, *options)
    added = "--report", "--tensorboard", "--publish", "--promote", "mine"
    out = succeed("tune", path, *options, "--against", other, *added)
    assert "test accuracy in percent, 2 seeds" in out and "95 % interval" in out
    assert (tmp_path / "runs" / "tiny" / "report.html").is_file()
    assert list((tmp_path / "runs" / "tiny" / "tensorboard").glob("trial-*/events*"))
    results = json.loads((tmp_path / "results.json").read_text())
    assert [len(runs) for runs in results["test"]["scores"].values()] == [2, 2]
    recipe = recipes.read(str(tmp_path / "zoo" / "mine"))
    assert recipe["split"]["train_on_validation"]
    assert "Not measured" not in (tmp_path / "zoo" / "mine" / "README.md").read_text()
    assert (tmp_path / "zoo" / "mine" / "model.weights.h5").is_file()
    ((model, output),) = exported
    assert model.is_file() and output.as_posix() == "saved_models/mine"
    _, _, err = run("tune", path, *options, "--promote", "mine")
    assert "zoo/mine is there already" in err
