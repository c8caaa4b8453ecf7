"""Which models and versions lie in a folder, and what else lies there."""

import re
from pathlib import Path
from typing import NamedTuple

from keras_fusion.errors import InputError

# As TensorFlow Serving: a decimal number that an int64 holds.
_VERSION = re.compile(r"[0-9]{1,18}")
GRAPH = "saved_model.pb"


class Found(NamedTuple):
    """What one model's folder holds.

    Attributes:
        versions: Complete versions' folders by number.
        notes: A sentence for everything that was passed over.
    """

    versions: dict[int, Path]
    notes: list[str]


def models(folder: str | Path) -> dict[str, Path]:
    """The models' folders by name: each folder in `folder`, or `folder` itself.

    It is a model itself if it holds a version of one and no folder of a model.

    Raises:
        ValueError: If there is no such folder.
        OSError: If it cannot be looked at.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    within = {path.name: path for path in _visible(folder) if path.is_dir()}
    if _holds_a_version(folder) and not any(map(_holds_a_version, within.values())):
        return {folder.resolve().name: folder}
    return within


def versions(folder: Path) -> Found:
    """The complete versions of one model; a version without a graph is not.

    Raises:
        OSError: If the folder cannot be looked at, which says nothing of what it holds.
    """
    complete, notes = {}, []
    for path in _visible(folder):
        if not _VERSION.fullmatch(path.name) or not path.is_dir():
            notes.append(f"{path} is no numbered folder of a version; passed over.")
        elif not (path / GRAPH).is_file():
            notes.append(f"{path} has no {GRAPH}, half copied maybe; passed over.")
        else:
            complete[int(path.name)] = path
    if not complete:
        notes.append(f"{folder} holds no version yet: expected {folder}/1/{GRAPH}.")
    return Found(complete, notes)


def fingerprint(version: Path) -> tuple:
    """Changes whenever a file of the version does: a failed load is tried again."""
    try:
        found = [(str(path), path.stat()) for path in sorted(version.rglob("*"))]
    except OSError:  # taken away meanwhile
        return ()
    return tuple((name, about.st_size, about.st_mtime_ns) for name, about in found)


def _holds_a_version(folder):
    return any(_VERSION.fullmatch(p.parent.name) for p in folder.glob(f"*/{GRAPH}"))


def _visible(folder):
    try:
        found = sorted(folder.iterdir())
    except FileNotFoundError:  # taken away meanwhile
        return []
    return [path for path in found if not path.name.startswith(".")]
