"""Times and classes in an order by the command."""

import json

import numpy as np
import pytest

from tests.cli.running import run, succeed
from tests.experiments.test_times import columns


def write(folder):
    found = columns(60) | {"grade": np.array(["low", "mid", "high"] * 20)}
    lines = [",".join(found), *(",".join(map(str, x)) for x in zip(*found.values()))]
    (folder / "p.csv").write_text("\n".join(lines))
    return folder / "p.csv"


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_init_writes_what_was_said_of_the_labels(tmp_path):
    path = write(tmp_path)
    said = "--time", "days", "--event", "died", "--task", "survival"
    succeed("init", path, *said, "--output", tmp_path / "times.toml")
    text = (tmp_path / "times.toml").read_text()
    for words in ('time = "days"', 'event = "died"', 'task = "survival"', "# events: "):
        assert words in text
    order = "--label", "grade", "--order", "low", "mid", "high"
    succeed("init", path, *order, "--output", tmp_path / "order.toml")
    text = (tmp_path / "order.toml").read_text()
    assert 'task = "ordinal"\norder = ["low", "mid", "high"]' in text
    status, _, err = run("init", path, "--label", "grade", "--order", "low", "mid")
    assert status == 2 and "order misses the label 'high'" in err


@pytest.mark.slow
@pytest.mark.only_on("tensorflow", reason="others export by TensorFlow, which is slow")
@pytest.mark.parametrize("task", ["risk", "survival"])
def test_an_export_tells_the_same(task, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    said = "--time", "days", "--event", "died", "--task", task
    succeed("init", "p.csv", *said)
    (tmp_path / "p.toml").write_text(
        (tmp_path / "p.toml")
        .read_text()
        .replace("epochs = 200", "epochs = 1")
        .replace("ignore = []", 'ignore = ["grade"]')
    )
    succeed("train", "p.toml", "--quiet")
    succeed("export", "p.toml")
    model = "runs/p/model/seed-0/model.keras"
    first, second = (
        json.loads(succeed("predict", path, "p.csv", "--json"))
        for path in (model, "saved_models/p")
    )
    assert second["times"] == first["times"]
    for key in ("risk", "survival", "median_time"):
        for own, served in zip(first[key], second[key], strict=True):
            np.testing.assert_allclose(
                np.array(served, float), np.array(own, float), rtol=1e-4, atol=1e-5
            )
