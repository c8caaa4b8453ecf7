"""Where numbers come from."""

import datetime
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import keras

import keras_fusion


def provenance() -> dict:
    """Backend, versions, machine, commit and date, for a results file."""
    backend = keras.backend.backend()
    packages = ("keras", backend, "numpy")
    return {
        "backend": backend,
        "versions": {"keras_fusion": keras_fusion.__version__}
        | {name: metadata.version(name) for name in packages},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "commit": _commit(),
        "date": datetime.date.today().isoformat(),
    }


def _commit():
    """The checkout's commit, with a + where it has changes; None in a wheel."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    command = [
        "git",
        "-C",
        str(root),
        "describe",
        "--always",
        "--dirty=+",
        "--exclude=*",
    ]
    return (
        subprocess.run(command, capture_output=True, text=True).stdout.strip() or None
    )
