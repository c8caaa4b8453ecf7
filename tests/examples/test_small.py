"""The small examples run."""

import pytest

from examples import own_operator, quick_start


@pytest.mark.slow
@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize("example", [quick_start, own_operator])
def test_it_runs(example, capsys):
    example.main(epochs=1)
    example.main(epochs=1)
    assert "0." in capsys.readouterr().out, "it shows no score"
