import os
import platform
import subprocess
import sys

import pytest

from keras_fusion.files import whole, write_json


def test_an_error_leaves_what_was_there(tmp_path):
    path = tmp_path / "x.json"
    write_json(path, [1])
    with pytest.raises(RuntimeError), whole(path) as beside:
        beside.write_text("half")
        raise RuntimeError
    assert path.read_text() == "[\n 1\n]\n"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_kill_left_is_removed(tmp_path):
    machine = platform.node()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = [tmp_path / f".{machine}-{dead.pid}.partial-{name}.json" for name in "xy"]
    kept = [  # of a process that runs, and of another machine's
        tmp_path / f".elsewhere-{dead.pid}.partial-x.json",
        tmp_path / f".{machine}-{os.getppid()}.partial-x.json",
    ]
    for path in (*left, *kept):
        path.write_text("half")
    write_json(tmp_path / "x.json", 1)
    assert sorted(tmp_path.iterdir()) == sorted([*kept, tmp_path / "x.json"])
