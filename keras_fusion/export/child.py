"""What runs in a process of its own on the TensorFlow backend."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

import keras_fusion
from keras_fusion.export.reading import Arrays


def run(*arguments: str | Path) -> None:
    """Runs `python -m keras_fusion.export` with these arguments on TensorFlow.

    Raises:
        RuntimeError: With the last line of what the process says, if it fails.
    """
    package = str(Path(keras_fusion.__file__).parents[1])
    environment = os.environ | {
        "KERAS_BACKEND": "tensorflow",
        "CUDA_VISIBLE_DEVICES": "-1",  # this process may hold the whole GPU already
        "PYTHONPATH": os.pathsep.join(
            filter(None, [package, os.environ.get("PYTHONPATH")])
        ),
    }
    process = subprocess.run(
        [sys.executable, "-m", "keras_fusion.export", *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if process.returncode:
        said = process.stderr.strip().splitlines() or ["nothing"]
        raise RuntimeError(
            f"The TensorFlow process failed with status {process.returncode} and said "
            f"{said[-1]}"
        )


def save_arrays(path: str | Path, arrays: dict[str, Arrays]) -> None:
    """Writes arrays by signature and name to an npz file."""
    flat = {
        f"{k}/{name}": x for k, group in arrays.items() for name, x in group.items()
    }
    np.savez(path, **flat)


def load_arrays(path: str | Path) -> dict[str, Arrays]:
    """Reads what `save_arrays` wrote."""
    arrays = {}
    with np.load(path, allow_pickle=False) as flat:
        for key, x in flat.items():
            group, name = key.split("/", 1)
            arrays.setdefault(group, {})[name] = x
    return arrays
