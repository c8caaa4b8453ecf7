"""One small evaluation, which the tests of all commands share."""

import json

import pytest

from tests import runs
from tests.cli.running import CARD, succeed


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """The folder of a recipe, its data, and what `evaluate --publish` made of it."""
    folder = tmp_path_factory.mktemp("recipes") / "tiny"
    runs.write(folder).rename(folder / "recipe.toml")
    (folder / "README.md").write_text(CARD)
    options = "--seeds", 0, "--leave-out", "--publish", "--runs", folder / "runs"
    out = succeed("evaluate", folder, *options)
    (folder / "out.txt").write_text(out)
    return folder


@pytest.fixture(scope="session")
def trained(home):
    """The model that `train` saved, and what it printed: the run itself is done."""
    out = succeed("train", home, "--seeds", 0, "--runs", home / "runs", "--quiet")
    return home / "runs" / "tiny" / "model" / "seed-0" / "model.keras", out


@pytest.fixture(scope="session")
def results(home):
    return json.loads((home / "runs" / "tiny" / "results.json").read_text())
