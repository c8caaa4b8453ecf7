"""Numbered folders that appear whole or not at all, as TensorFlow Serving needs them.

A server loads a folder as soon as its name is a number, half copied or not. So a
version is written under another name, forced to disk, and renamed.
"""

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable
from numbers import Integral
from pathlib import Path

from keras_fusion.common.errors import InputError
from keras_fusion.common.files import writing


def put(
    fill: Callable[[Path], None], folder: str | Path, version: int | None = None
) -> Path:
    """The new version folder `folder/<version>`, with what `fill` writes into it.

    Args:
        fill: Is given an empty folder to write to. Where it raises, nothing appears.
        folder: Holds the versions; made where it does not exist.
        version: A free number >= 1; None is the highest one plus one.

    Raises:
        ValueError: If the version exists, or the folder cannot be written to or holds
            models.
    """
    folder = Path(folder)
    if any(folder.glob("*/[0-9]*/saved_model.pb")):
        raise InputError(
            f"{folder} holds models, among which a version would take them all down: "
            f"choose a folder for this one, as {folder}/NAME."
        )
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(writing(folder, _remove_stale))
            staging = folder / f".tmp-{secrets.token_hex(4)}"
            stack.callback(shutil.rmtree, staging, ignore_errors=True)
            staging.mkdir()
        except OSError as error:
            reason = f"{folder} cannot be written to: {error.strerror}."
            raise InputError(reason) from error
        _number(folder, version)  # a version that is taken is refused before the work
        fill(staging)
        for path in [*staging.rglob("*"), staging]:
            _sync(path)
        return _commit(staging, folder, version)


def newest(path: str | Path) -> Path:
    """`path` itself if it holds a SavedModel, else the highest version under it.

    Raises:
        ValueError: If there is neither.
    """
    path = Path(path)
    if (path / "saved_model.pb").is_file():
        return path
    found = [file.parent for file in path.glob("*/saved_model.pb")]
    versions = [folder for folder in found if folder.name.isdecimal()]
    if not versions:
        raise InputError(f"{path}: expected a SavedModel or numbered versions of one.")
    return max(versions, key=lambda folder: int(folder.name))


def _remove_stale(folder):
    for path in folder.glob(".tmp-*"):
        shutil.rmtree(path, ignore_errors=True)


def _number(folder, version):
    taken = {int(path.name) for path in folder.iterdir() if path.name.isdecimal()}
    if version is None:
        return max(taken, default=0) + 1
    if not isinstance(version, Integral) or version < 1:
        raise InputError(f"A version is a whole number from 1; received {version!r}.")
    if version in taken:
        raise InputError(
            f"{folder} already has a version {version}, which is never overwritten: "
            "choose another number or none."
        )
    return int(version)


def _commit(staging, folder, version):
    while True:
        target = folder / str(_number(folder, version))
        try:
            os.rename(staging, target)
        except OSError:
            if not target.exists():
                raise
            continue  # another export took the number just now
        _sync(folder)
        _sync(folder.parent)  # the folder may be new as well
        return target


def _sync(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
