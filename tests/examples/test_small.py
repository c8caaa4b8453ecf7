"""The small examples run, and all examples are small."""

from pathlib import Path

import pytest

from examples import node_classification, own_operator, quick_start

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("example", [quick_start, own_operator, node_classification])
def test_it_runs(example, capsys):
    example.main(epochs=1)
    example.main(epochs=1)
    assert "0." in capsys.readouterr().out, "it shows no score"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_it_is_short(path):
    assert len(path.read_text().splitlines()) < 80
