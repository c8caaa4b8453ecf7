"""One small evaluation, which the tests of all commands share."""

import pytest

from keras_fusion.experiments import single_run
from keras_fusion.experiments.results import read
from tests.cli.running import CARD, succeed
from tests.experiments import runs


@pytest.fixture(scope="package")
def quick():
    """Compiles less: XLA takes seconds for what then runs for milliseconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(single_run, "fast_settings", lambda steps: {})
        yield


@pytest.fixture(scope="package")
def home(tmp_path_factory, quick):
    """The folder of a recipe, its data, and what `evaluate --publish` made of it."""
    folder = tmp_path_factory.mktemp("recipes") / "tiny"
    runs.write(folder).rename(folder / "recipe.toml")
    (folder / "README.md").write_text(CARD)
    options = "--seeds", 0, "--leave-out", "--corrupt", "--publish"
    out = succeed("evaluate", folder, *options, "--runs", folder / "runs")
    (folder / "out.txt").write_text(out)
    return folder


@pytest.fixture(scope="package")
def trained(home):
    """The model that `train` saved, and what it printed: the run itself is done."""
    out = succeed("train", home, "--seeds", 0, "--runs", home / "runs", "--quiet")
    return home / "runs" / "tiny" / "model" / "seed-0" / "model.keras", out


@pytest.fixture(scope="package")
def results(home):
    return read(home / "runs" / "tiny" / "results.json")
