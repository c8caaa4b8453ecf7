import re

import pytest

from tests.cli.running import succeed
from tests.experiments import runs

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


def test_a_pipe_gets_lines_and_no_control_characters(tmp_path, quick):
    text = runs.RECIPE.replace("units = 4", "units = 4\nlinear_path = true")
    path = runs.write(tmp_path, text)
    out = succeed("train", path, "--runs", tmp_path / "runs")
    assert [c for c in out if not c.isprintable() and c != "\n"] == []
    assert re.search(r"^fitting a linear model to \d+ rows", out, re.M)
    assert len(re.findall(r"^\d+/\d+ - .* val_loss: ", out, re.M)) == 3  # epochs
