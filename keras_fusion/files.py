"""Files that appear whole or not at all."""

import contextlib
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to, which takes its place when the block ends.

    An error in the block, or a kill, leaves what stood at `path` untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_left(path.parent)
    beside = path.with_name(f".{writer()}.partial-{path.name}")
    try:
        yield beside
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _remove_left(folder):
    """Removes what processes that were killed left there."""
    for left in folder.glob(".*.partial-*"):
        if is_dead(left.name[1:].partition(".partial-")[0]):
            left.unlink(missing_ok=True)


def writer() -> str:
    """This process, among those of every machine that may share a folder."""
    return f"{platform.node()}-{os.getpid()}"


def is_dead(name: str) -> bool:
    """Whether `name` is a `writer` of this machine that runs no more.

    Of another machine's nothing is known, nor whether it is at work.
    """
    node, _, pid = name.rpartition("-")
    return node == platform.node() and pid.isdecimal() and not _runs(int(pid))


def _runs(pid):
    """Whether there is a process of this number, anyone's."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is another user's
        return True
    return True


def write_json(path: Path, value) -> None:
    """Writes `value` as indented JSON."""
    with whole(path) as beside:
        beside.write_text(json.dumps(value, indent=1) + "\n")
