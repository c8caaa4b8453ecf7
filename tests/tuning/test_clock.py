import math

import pytest

from keras_fusion.tuning import clock as clocks

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


def test_minutes_are_minutes_over_all_calls(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(clocks.time, "monotonic", lambda: now[0])
    first = clocks.Clock(3)
    assert 0.95 * 180 < first.left() < 180
    now[0] += 60
    assert first.elapsed() == 60 and 0.95 * 180 - 60 < first.left() < 120
    second = clocks.Clock(3, used=first.elapsed())
    now[0] += 119
    assert second.left() < 1 and second.elapsed() == 179


def test_without_minutes_there_is_no_end():
    endless = clocks.Clock(None)
    assert endless.left() == math.inf and endless.until() is None
    assert clocks.Clock(1).until() > clocks.time.time()
