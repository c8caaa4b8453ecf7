import threading

import pytest

from keras_fusion.tuning.lock import held

pytest.importorskip("fcntl", reason="Windows has other locks")
pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


def test_one_at_a_time(tmp_path):
    with held(tmp_path, wait=False):
        with pytest.raises(ValueError, match="Another process is at work in"):
            with held(tmp_path, wait=False):
                pass
    with held(tmp_path, wait=False):
        pass


def test_the_next_waits_for_the_first(tmp_path):
    order = []

    def second():
        with held(tmp_path, wait=True):
            order.append("second")

    thread = threading.Thread(target=second)
    with held(tmp_path, wait=True):
        thread.start()
        thread.join(0.1)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
