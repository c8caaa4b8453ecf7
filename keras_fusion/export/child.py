"""What runs in a process of its own on the TensorFlow backend."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

import keras_fusion
from keras_fusion.export.reading import Arrays


def run(task: str, job: dict, scratch: Path) -> None:
    """Runs `python -m keras_fusion.export TASK JOB` on the TensorFlow backend.

    It ends with this process, however this one ends: it watches its standard input.

    Args:
        task: `"write"` or `"ask"`.
        job: What it reads as JSON.
        scratch: A folder for that.

    Raises:
        RuntimeError: With the last line of what the process says, if it fails.
    """
    file = scratch / f"{task}.json"
    file.write_text(json.dumps(job))
    package = str(Path(keras_fusion.__file__).parents[1])
    environment = os.environ | {
        "KERAS_BACKEND": "tensorflow",
        "CUDA_VISIBLE_DEVICES": "-1",  # this process may hold the whole GPU already
        # what could be imported here, such as a user's own layers, can be there
        "PYTHONPATH": os.pathsep.join([package, *filter(None, sys.path)]),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "keras_fusion.export", task, str(file)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        try:
            said = process.stderr.read().strip().splitlines() or ["nothing"]
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise RuntimeError(
            f"The TensorFlow process failed with status {process.returncode} and said "
            f"{said[-1]}"
        )


def save_groups(path: str | Path, groups: Iterable[tuple[str, Arrays]]) -> None:
    """Writes named groups of named arrays to an npz file; names may come twice."""
    flat = {
        f"{i}/{group}/{name}": x
        for i, (group, arrays) in enumerate(groups)
        for name, x in arrays.items()
    }
    np.savez(path, **flat)


def load_groups(path: str | Path) -> list[tuple[str, Arrays]]:
    """Reads what `save_groups` wrote."""
    groups = {}
    with np.load(path, allow_pickle=False) as flat:
        for key, x in flat.items():
            i, group, name = key.split("/", 2)
            groups.setdefault(i, (group, {}))[1][name] = x
    return list(groups.values())
