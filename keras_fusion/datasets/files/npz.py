"""numpy archives, whose arrays are read one by one and only if they can be whole."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_fusion.datasets.errors import DataError
from keras_fusion.datasets.files.table import NotNumbers, Table
from keras_fusion.datasets.npy import BROKEN, declared

_RATIO = 1100  # bytes that deflate makes of one, at most: 1032, and some for headers
_END = ".npy"


@dataclass(frozen=True)
class NpzColumn:
    """One array of an archive."""

    path: Path
    name: str

    def labels(self) -> np.ndarray:
        """The array; refused before memory is taken where its header cannot be true."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                member = archive.getinfo(self.name + _END)
                with archive.open(member) as file:
                    self._check(file, member)
                with archive.open(member) as file:
                    return np.lib.format.read_array(file, allow_pickle=False)
        except DataError:
            raise
        except BROKEN as error:
            reason = str(error) or type(error).__name__
            raise DataError(
                f"{self.path}: the array {self.name!r} cannot be read ({reason})."
            ) from error

    def numbers(self) -> np.ndarray:
        values = self.labels()
        if values.dtype.kind not in "biuf":
            raise NotNumbers(f"{self.name!r} holds {_kind(values)}")
        return values

    def _check(self, file, member):
        dtype, size = declared(file)
        if dtype.hasobject:
            raise DataError(
                f"{self.path}: the array {self.name!r} holds Python objects, which are "
                "not read: save it as numbers or as text, such as "
                f"np.array({self.name}.tolist())."
            )
        if size > min(member.file_size, _RATIO * member.compress_size):
            raise DataError(
                f"{self.path}: the array {self.name!r} declares {size} bytes, and "
                f"the archive holds {member.file_size} of it: the file is broken."
            )


def open_npz(path: Path) -> Table:
    """The arrays of an archive.

    Raises:
        DataError: If it is no numpy archive.
    """
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path}: cannot be read as npz (it is no zip archive).")
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except BROKEN as error:
        raise DataError(f"{path}: cannot be read as npz ({error}).") from error
    others = [name for name in names if not name.endswith(_END)]
    if others:
        raise DataError(f"{path}: expected arrays alone; it holds {others[0]!r}.")
    if len(set(names)) < len(names):
        raise DataError(f"{path}: several arrays have one name.")
    names = [name.removesuffix(_END) for name in names]
    return Table({name: NpzColumn(path, name) for name in names})


def _kind(values):
    if values.dtype.kind in "US":
        first = next(iter(values.ravel().tolist()), "")
        return f"text, such as {first!r}"
    return f"{values.dtype} values"
