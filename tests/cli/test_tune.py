"""`keras-fusion tune` as a user calls it."""

import json

from tests import runs
from tests.cli.running import run, succeed
from tests.tuning.test_search import TEXT


def test_the_leaderboard_names_the_bar(tmp_path, quick):
    path = runs.write(tmp_path, TEXT)
    out = succeed("tune", path, "--trials", 3, "--runs", tmp_path / "runs")
    assert "3 trials completed" in out and "(3 of 3, about 0 min left)" in out
    results = json.loads((tmp_path / "runs" / "tiny" / "results.json").read_text())
    assert [t["trial"] for t in results["trials"]] == [*"012"]
    assert results["backend"] and results["search"]["search"]["trials"] == 3
    again = succeed("tune", path, "--trials", 3, "--runs", tmp_path / "runs")
    assert "trial 0" not in again  # nothing is left to run


def test_bad_input(tmp_path):
    status, _, err = run("tune", tmp_path / "nowhere")
    assert status == 2 and "There is no search" in err
    path = runs.write(tmp_path, TEXT)
    status, _, err = run("tune", path, "--tuner", "grid")
    assert status == 2 and "tuner must be one of random" in err
