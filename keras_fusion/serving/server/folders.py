"""Which models and versions lie in a folder."""

import re
from pathlib import Path

from keras_fusion.common.errors import InputError

# As TensorFlow Serving: a decimal number that an int64 holds.
_VERSION = re.compile(r"[0-9]{1,18}")
GRAPH = "saved_model.pb"


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
    within = {p.name: p for p in folder.iterdir() if p.is_dir() and p.name[0] != "."}
    if versions(folder) and not any(map(versions, within.values())):
        return {folder.resolve().name: folder}
    return within


def versions(folder: Path) -> dict[int, Path]:
    """The numbered folders of one model by number; one without a graph is half copied.

    Raises:
        OSError: If the folder cannot be looked at, which says nothing of what it holds.
    """
    try:
        found = [path for path in folder.iterdir() if _VERSION.fullmatch(path.name)]
    except FileNotFoundError:  # taken away meanwhile
        return {}
    return {int(path.name): path for path in found if (path / GRAPH).is_file()}


def fingerprint(version: Path) -> tuple:
    """Changes whenever a file of the version does."""
    try:
        found = [(str(path), path.stat()) for path in sorted(version.rglob("*"))]
    except OSError:  # taken away meanwhile
        return ()
    return tuple((name, about.st_size, about.st_mtime_ns) for name, about in found)
