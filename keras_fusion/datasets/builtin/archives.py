"""Archives: read only if whole; those that are not shipped, from one folder."""

import hashlib
import io
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

VARIABLE = "KERAS_FUSION_DATA"


class Archive(NamedTuple):
    """A file that a data set is read from.

    Attributes:
        file: Its name.
        sha256: Of its whole content.
        source: Where the data come from, and under which license.
    """

    file: str
    sha256: str
    source: str


def folder() -> Path:
    """Where archives that are not shipped are looked for.

    The environment variable `KERAS_FUSION_DATA`, else `keras_fusion` beside what Keras
    itself downloads (`KERAS_HOME`, by default `~/.keras`).
    """
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras")
    return Path(os.environ.get(VARIABLE) or home / "keras_fusion").expanduser()


def read(archive: Archive, path: Path | None = None) -> dict[str, np.ndarray]:
    """The arrays of a numpy archive, as `content` reads it."""
    with np.load(io.BytesIO(content(archive, path)), allow_pickle=False) as arrays:
        return dict(arrays)


def content(archive: Archive, path: Path | None = None) -> bytes:
    """What an archive holds.

    Args:
        archive: What is expected.
        path: Where it lies, in place of `folder()`.

    Raises:
        ValueError: If it is not there, or if its content is not the published one.
    """
    path = Path(path or folder() / archive.file)
    if not path.is_file():
        raise ValueError(
            f"{path}: no such file. These data are not shipped: put {archive.file} "
            f"(SHA-256 {archive.sha256}) there, or name its folder in {VARIABLE}. "
            f"Source: {archive.source}."
        )
    found = path.read_bytes()
    digest = hashlib.sha256(found).hexdigest()
    if digest != archive.sha256:
        raise ValueError(
            f"{path}: expected SHA-256 {archive.sha256}; received {digest}."
        )
    return found
