"""One process at a time in a folder."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

LOCK = "lock"


@contextlib.contextmanager
def held(folder: Path, wait: bool) -> Iterator[None]:
    """No other process that asks is in `folder` until the block, or this one, ends.

    Where the file system has no locks it asks in vain, and gets in.

    Args:
        folder: Made if it is not there; gets the empty file `lock`.
        wait: For another process to end, in place of an error.

    Raises:
        ValueError: If another process is there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a") as file:
        if fcntl:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as error:
                raise ValueError(
                    f"Another process is at work in {folder}: let it end first, or "
                    "choose another --runs folder."
                ) from error
            except OSError:  # a file system without locks
                pass
        yield
