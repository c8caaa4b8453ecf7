"""Files that appear whole or not at all."""

import contextlib
import json
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

from keras_fusion.common.errors import InputError

try:
    import fcntl
except ImportError:  # Windows, where what a kill left stays
    fcntl = None

LOCK = "lock"  # in each folder that one process at a time may work in


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to, which takes its place when the block ends.

    An error in the block, or a kill, leaves what stood at `path` untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{secrets.token_hex(4)}.partial-{path.name}")
    with writing(path.parent, _remove_left):
        try:
            yield beside
            with beside.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)


@contextlib.contextmanager
def alone_in(folder: Path, seconds: float = 0.0) -> Iterator[None]:
    """No other process that asks is in the folder before this block ends.

    A kill ends it too. The file `lock` stays, since who removes it races with who
    takes it.

    Args:
        folder: Is made where it is not there.
        seconds: How long to wait for another process.

    Raises:
        InputError: If another process is there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / LOCK, timeout=seconds)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise InputError(
            f"Another process is at work in {folder}: let it end first, or choose "
            "another --runs folder."
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def writing(folder: Path, remove_left: Callable[[Path], None]) -> Iterator[None]:
    """Says to other processes that `folder` is written to, as long as the block lasts.

    The file system keeps the lock, so it knows of other machines and containers too,
    and a kill ends it.

    Args:
        folder: That exists.
        remove_left: Is called with it first, where nobody else writes there: what is
            half done was left by a process that was killed.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if _locked(descriptor, alone=True):
            remove_left(folder)
        _locked(descriptor, alone=False)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor, alone):
    """Whether the lock was had, of which there is none on some file systems."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(
            descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH
        )
    except OSError:
        return False
    return True


def _remove_left(folder):
    for left in folder.glob(".*.partial-*"):
        left.unlink(missing_ok=True)


def read_json(path: Path):
    """What a JSON file holds.

    Raises:
        InputError: If it is not whole.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is broken ({error}); delete it to go on.") from error


def write_json(path: Path, value) -> None:
    """Writes `value` as indented JSON."""
    with whole(path) as beside:
        beside.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
