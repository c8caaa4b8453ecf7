"""A trial that takes all memory of its machine has failed, and the search goes on."""

import pytest

from keras_fusion.experiments import engines

pytest.importorskip("ray")
psutil = pytest.importorskip("psutil")
pytestmark = pytest.mark.soak

ROOM, MEAL = 2 * 2**30, 2**28  # bytes until Ray kills, and bytes at once


def eat(meals, path):
    import numpy as np

    with path.open("a") as file:
        file.write("x")
    eaten = [np.ones(MEAL // 8) for _ in range(meals)]
    return len(eaten)


def test_who_takes_all_memory_is_tried_three_times(tmp_path, monkeypatch):
    memory = psutil.virtual_memory()
    limit = (memory.total - memory.available + ROOM) / memory.total
    monkeypatch.setenv("RAY_memory_usage_threshold", f"{limit:.3f}")
    monkeypatch.setenv("RAY_memory_monitor_refresh_ms", "50")
    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.delenv("RAY_task_oom_retries", raising=False)
    path = tmp_path / "attempts"
    with engines.OnRay(eat, workers=1) as engine:
        engine.start("hungry", 4 * ROOM // MEAL, path)
        name, found = engine.wait()
        assert name == "hungry" and isinstance(found, RuntimeError)
        assert str(found) == "it took all memory of its machine"
        assert len(path.read_text()) == 1 + engines.RETRIES
        engine.start("modest", 1, path)
        assert engine.wait() == ("modest", 1)
