"""Linear centered kernel alignment, against that of ckatorch."""

import pytest

from keras_fusion.attribution.compare_representations import linear_cka
from tests.recorded.recording import read


def test_linear_cka():
    data = read("ckatorch")
    found = linear_cka(data["x"], data["y"])
    assert found == pytest.approx(float(data["cka"]), rel=1e-12)
    assert 0.1 < found < 0.9
