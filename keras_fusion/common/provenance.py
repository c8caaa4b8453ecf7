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
        "machine": _machine(),
        "commit": _commit(),
        "date": datetime.date.today().isoformat(),
    }


def computed_on() -> str:
    """Backend with its version, and machine, of what may be judged elsewhere later."""
    backend = importlib.import_module(keras.backend.backend())
    return f"{backend.__name__} {backend.__version__} on {_machine()}"


def _machine():
    """Architecture, processor cores, and the GPU where the backend computes on one."""
    parts = [platform.machine(), f"{os.cpu_count()} cores", _gpu()]
    return ", ".join(part for part in parts if part)


def _gpu():
    """Its name, or None; Keras' own lists of devices have no names."""
    backend = importlib.import_module(keras.backend.backend())
    if backend.__name__ == "jax":
        device = backend.devices()[0]
        return device.device_kind if device.platform != "cpu" else None
    if backend.__name__ == "torch":
        there = backend.cuda.is_available()
        return backend.cuda.get_device_name() if there else None
    devices = backend.config.list_physical_devices("GPU")
    details = backend.config.experimental.get_device_details
    return details(devices[0]).get("device_name", "GPU") if devices else None


def _commit():
    """The checkout's commit, with a + where it has changes; None in a wheel."""
    root = Path(__file__).resolve().parents[2]
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    command = [git, "-C", str(root), "describe", "--always", "--dirty=+", "--exclude=*"]
    found = subprocess.run(command, capture_output=True, text=True)
    return found.stdout.strip() or None
