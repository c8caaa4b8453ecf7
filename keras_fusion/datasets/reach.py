"""Which files a recipe or a table that may come from elsewhere can name."""

import os
from collections.abc import Callable
from pathlib import Path

from keras_fusion.datasets.builtin import archives


def near(folder: str | Path) -> Callable[[str | Path], bool]:
    """Tells whether a path lies under this folder, the one at work, or the data's.

    Links are followed: what counts is where they lead.

    Args:
        folder: Of the recipe or of the table.
    """
    homes = [os.path.realpath(x) for x in (folder, os.curdir, archives.folder())]

    def is_near(path):
        try:
            whole = Path(os.path.realpath(path))
        except ValueError:  # no file has such a name
            return True
        return any(whole.is_relative_to(home) for home in homes)

    return is_near
