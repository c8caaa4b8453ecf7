import json
import os
import subprocess
import sys

import pytest

from keras_fusion.export import versions


def whole(folder):
    (folder / "saved_model.pb").write_text("whole")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_versions_count_up(tmp_path):
    (tmp_path / "latest").mkdir()
    assert versions.put(whole, tmp_path).name == "1"
    (tmp_path / "007").touch()
    assert versions.put(whole, tmp_path).name == "8"
    assert versions.put(whole, tmp_path, 20).name == "20"
    assert versions.put(whole, tmp_path, 9).name == "9"
    assert versions.newest(tmp_path) == tmp_path / "20"
    assert versions.newest(tmp_path / "8") == tmp_path / "8"


def test_no_version_to_read(tmp_path):
    (tmp_path / "3").mkdir()
    with pytest.raises(ValueError, match="expected a SavedModel"):
        versions.newest(tmp_path)


@pytest.mark.parametrize("taken", ["4", "004"])
def test_an_existing_version_is_refused_before_the_work(tmp_path, taken):
    (tmp_path / taken).mkdir()  # empty: a rename would replace it
    with pytest.raises(ValueError, match="already has a version 4"):
        versions.put(pytest.fail, tmp_path, 4)
    assert names(tmp_path) == [taken]


@pytest.mark.parametrize("version", [0, -1, 1.0, "2"])
def test_a_version_is_a_whole_number(tmp_path, version):
    with pytest.raises(ValueError, match="whole number from 1"):
        versions.put(pytest.fail, tmp_path, version)


@pytest.mark.parametrize("version", [None, 1])
def test_a_number_taken_during_the_work_is_not_overwritten(tmp_path, version):
    def fill(folder):
        whole(folder)
        (tmp_path / "1").mkdir()
        (tmp_path / "1" / "theirs").touch()

    if version is None:
        assert versions.put(fill, tmp_path).name == "2"
    else:
        with pytest.raises(ValueError, match="already has a version 1"):
            versions.put(fill, tmp_path, version)
    assert names(tmp_path / "1") == ["theirs"]


def test_a_number_taken_at_the_last_moment(tmp_path, monkeypatch):
    rename = os.rename

    def late(source, target):
        if target.name == "1":
            target.mkdir()
            (target / "theirs").touch()
        rename(source, target)

    monkeypatch.setattr(os, "rename", late)
    assert names(versions.put(whole, tmp_path)) == ["saved_model.pb"]
    assert names(tmp_path) == ["1", "2"] and names(tmp_path / "1") == ["theirs"]


def test_a_failure_leaves_nothing(tmp_path):
    def fill(folder):
        whole(folder)
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        versions.put(fill, tmp_path / "new")
    assert names(tmp_path / "new") == []


def test_what_is_left_is_removed_once_nobody_writes(tmp_path):
    for name in (".tmp-0", ".tmp-mine"):
        (tmp_path / name).mkdir()
        whole(tmp_path / name)

    def fill(folder):
        whole(folder)
        if folder.parent == tmp_path and not (tmp_path / "2").exists():
            (tmp_path / ".tmp-0").mkdir()  # of another writer that is at work
            assert versions.put(whole, tmp_path, 2).name == "2"
            assert (tmp_path / ".tmp-0").exists()

    versions.put(fill, tmp_path, 1)
    assert names(tmp_path) == [".tmp-0", "1", "2"]
    versions.put(whole, tmp_path)
    assert names(tmp_path) == ["1", "2", "3"]


def test_no_version_among_models(tmp_path):
    versions.put(whole, tmp_path / "name")
    with pytest.raises(ValueError, match=r"holds models.* as .*/NAME\."):
        versions.put(pytest.fail, tmp_path)
    assert names(tmp_path) == ["name"]


@pytest.mark.parametrize("folder", ["file", "file/name"])
def test_a_folder_that_cannot_be_written_to(tmp_path, folder):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=f"{folder} cannot be written to: "):
        versions.put(pytest.fail, tmp_path / folder)


KILLED = '''
import importlib.util, json, os, pathlib, signal, sys

file, root = sys.argv[1], pathlib.Path(sys.argv[2])
spec = importlib.util.spec_from_file_location("versions", file)
versions = importlib.util.module_from_spec(spec)
spec.loader.exec_module(versions)
os.fsync = lambda descriptor: None  # slow, and a kill loses nothing that is written
MADE = {"saved_model.pb": "graph", "variables/weights": "numbers", "manifest.json": "-"}

def fill(staging):
    for name, content in MADE.items():
        path = staging / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)

def put(folder, moment):
    """Kills itself before the line of this number in versions.py or in fill."""
    lines = 0

    def trace(frame, event, arg):
        nonlocal lines
        if frame.f_code.co_filename not in (file, "<string>"):
            return None
        if event == "line":
            if lines == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            lines += 1
        return trace

    sys.settrace(trace)
    versions.put(fill, folder)

def whole(version):
    paths = [path for path in version.rglob("*") if path.is_file()]
    return {p.relative_to(version).as_posix(): p.read_text() for p in paths} == MADE

kills, seen = 0, []
while True:
    folder = root / str(kills)
    versions.put(fill, folder)
    child = os.fork()
    if not child:
        put(folder, kills)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status == 0:
        break
    assert os.WTERMSIG(status) == signal.SIGKILL
    visible = [path for path in folder.iterdir() if not path.name.startswith(".")]
    assert all(whole(path) for path in visible), visible
    seen.append(sorted(path.name for path in visible))
    again = versions.put(fill, folder)
    names = sorted(path.name for path in folder.iterdir())
    assert names == [*seen[-1], again.name], names  # what was left is gone
    kills += 1
print(json.dumps(seen))
'''


def test_a_kill_at_any_line_leaves_no_half_version(tmp_path):
    # In a process that has not imported Keras, so that forking it is cheap and safe.
    command = [sys.executable, "-c", KILLED, versions.__file__, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert len(seen) >= 50
    # The older version is always there; the new one from its rename on.
    appeared = seen.index(["1", "2"])
    assert seen == [["1"]] * appeared + [["1", "2"]] * (len(seen) - appeared)
    assert 50 <= appeared < len(seen)


def test_everything_is_on_disk_before_the_version_appears(tmp_path, monkeypatch):
    events = []
    fsync, rename = os.fsync, os.rename

    def record_fsync(descriptor):
        events.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def record_rename(source, target):
        events.append("rename")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "rename", record_rename)
    version = versions.put(whole, tmp_path / "name")
    before, after = (set(part) for part in split(events, "rename"))
    inode = {path: path.stat().st_ino for path in [version, *version.iterdir()]}
    assert before == set(inode.values())
    assert after == {path.stat().st_ino for path in (version.parent, tmp_path)}


def split(items, separator):
    at = items.index(separator)
    return items[:at], items[at + 1 :]
