"""The concordance of risks and times, against that of lifelines."""

import pytest

from keras_fusion.survival import concordance
from tests.recorded.recording import read


def test_concordance():
    data = read("lifelines")
    found = concordance(data["times"], data["events"], data["risks"])
    assert found == pytest.approx(float(data["index"]), rel=1e-12)
