import re

import pytest

from tests.cli.running import succeed
from tests.experiments import runs

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


def test_a_pipe_gets_lines_and_no_control_characters(tmp_path, quick):
    out = succeed("train", runs.write(tmp_path), "--runs", tmp_path / "runs")
    assert [c for c in out if not c.isprintable() and c != "\n"] == []
    assert len(re.findall(r"^\d+/\d+ - .* val_loss: ", out, re.M)) == 3  # epochs
