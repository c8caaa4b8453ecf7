"""What runs in a process of its own on the TensorFlow backend."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

import keras_fusion
from keras_fusion.export.reading import Arrays

_BYTES = "|bytes"  # behind the name of an array of objects


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
        f"{i}/{group}/{_key(name, x)}": _flat(x)
        for i, (group, arrays) in enumerate(groups)
        for name, x in arrays.items()
    }
    np.savez(path, **flat)


def load_groups(path: str | Path) -> list[tuple[str, Arrays]]:
    """Reads what `save_groups` wrote; objects come back as bytes."""
    groups = {}
    with np.load(path, allow_pickle=False) as flat:
        for key, x in flat.items():
            i, group, name = key.split("/", 2)
            if name.endswith(_BYTES):
                name = name.removesuffix(_BYTES)
                x = np.array([base64.b64decode(value) for value in x], object)
            groups.setdefault(i, (group, {}))[1][name] = x
    return list(groups.values())


def _key(name, x):
    return name + _BYTES if x.dtype == object else name


def _flat(x):
    """numpy writes no objects, and cuts zeros off the end of bytes."""
    if x.dtype != object:
        return x
    values = [v.encode() if isinstance(v, str) else bytes(v) for v in x]
    return np.array([base64.b64encode(value) for value in values])
