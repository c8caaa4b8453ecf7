import subprocess
import sys

import pytest

from keras_fusion.common.files import whole, write_json


def test_an_error_leaves_what_was_there(tmp_path):
    path = tmp_path / "x.json"
    write_json(path, [1])
    with pytest.raises(RuntimeError), whole(path) as beside:
        beside.write_text("half")
        raise RuntimeError
    assert path.read_text() == "[\n 1\n]\n"
    assert list(tmp_path.iterdir()) == [path]


KILLED = """
import os, pathlib, sys
from keras_fusion.common.files import whole
with whole(pathlib.Path(sys.argv[1])) as beside:
    beside.write_text("half")
    os.kill(os.getpid(), 9)
"""


def test_what_a_kill_left_is_removed(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, tmp_path / "x.json"])
    (left,) = tmp_path.iterdir()
    assert ".partial-" in left.name
    write_json(tmp_path / "y.json", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["y.json"]


def test_what_another_writes_is_left_alone(tmp_path):
    with whole(tmp_path / "x.json") as beside:
        beside.write_text("half")
        write_json(tmp_path / "y.json", 1)
        assert beside.exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.json", "y.json"]
