"""Where numbers come from."""

import datetime
import importlib
import os
import platform
import shutil
import subprocess
from pathlib import Path

import keras

import keras_fusion


def provenance() -> dict:
    """Backend, versions, machine, commit and date, for a results file."""
    backend = keras.backend.backend()
    packages = [importlib.import_module(n) for n in ("keras", backend, "numpy")]
    return {
        "backend": backend,
        "versions": {"keras_fusion": keras_fusion.__version__}
        | {package.__name__: package.__version__ for package in packages},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "commit": _commit(),
        "date": datetime.date.today().isoformat(),
    }


def _commit():
    """The checkout's commit, with a + where it has changes; None in a wheel."""
    root = Path(__file__).resolve().parent.parent
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    command = [git, "-C", str(root), "describe", "--always", "--dirty=+", "--exclude=*"]
    found = subprocess.run(command, capture_output=True, text=True)
    return found.stdout.strip() or None
