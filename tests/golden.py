"""Recorded runs of the released MutualFormer code, from beside the checkout."""

import pathlib

import numpy as np
import pytest

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "shared" / "golden"


def arrays(name):
    """The arrays of `<name>.npz` by name; skips where there is none."""
    path = FOLDER / f"{name}.npz"
    if not path.is_file():
        pytest.skip(f"{path.name} is not beside the checkout (../shared/golden)")
    with np.load(path) as file:
        return dict(file)
