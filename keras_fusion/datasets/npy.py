"""What the file of an array says of itself before any of it is read."""

import math
import tokenize
import zipfile
import zlib

import numpy as np

# What numpy and zipfile raise of broken files.
BROKEN = (
    *(ValueError, OSError, EOFError, MemoryError, KeyError, TypeError, SyntaxError),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError),
    *(AttributeError, IndexError, OverflowError, UnicodeError, RecursionError),
    tokenize.TokenError,
)


def declared(file) -> tuple[np.dtype, int]:
    """The dtype of an npy file, and the bytes of its numbers, as its header says.

    Raises:
        ValueError: If it is no such file; numpy raises other errors, too.
    """
    version = np.lib.format.read_magic(file)
    read = getattr(np.lib.format, f"read_array_header_{version[0]}_0", None)
    if read is None:
        raise ValueError(f"an unknown npy version, {version[0]}")
    shape, _, dtype = read(file)
    return dtype, math.prod(shape) * dtype.itemsize
