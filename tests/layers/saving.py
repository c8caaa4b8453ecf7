"""What a functional model that shows many layers must survive.

`visit(model)` gives all its outputs as numpy arrays; it is a function of a test module,
so that another process can import it.
"""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.conftest import assert_close
from tests.layers.cases import randomize

# Each backend's files are read by the next: around the ring all numbers agree.
NEXT = {"tensorflow": "jax", "jax": "torch", "torch": "tensorflow"}

PROGRAM = """
import sys, keras, numpy as np
from {module} import visit
model = keras.saving.load_model(sys.argv[1])
np.savez(sys.argv[2], *visit(model))
"""


def assert_all_close(actual, expected):
    for a, b in zip(actual, expected, strict=True):
        assert_close(a, b)


def check_saved_model(model, visit, folder):
    model.save(folder / "museum.keras")
    again = keras.saving.load_model(folder / "museum.keras")
    assert_all_close(visit(again), visit(model))


def check_saved_weights(model, visit, folder):
    model.save_weights(folder / "museum.weights.h5")
    again = randomize(keras.models.clone_model(model), seed=1)
    again.load_weights(folder / "museum.weights.h5")
    assert_all_close(visit(again), visit(model))


def check_another_backend(model, visit, folder):
    backend = NEXT[keras.backend.backend()]
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    model.save(folder / "museum.keras")
    program = PROGRAM.format(module=visit.__module__)
    subprocess.run(
        [sys.executable, "-c", program, folder / "museum.keras", folder / "y.npz"],
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        check=True,
    )
    with np.load(folder / "y.npz") as file:
        assert_all_close(file.values(), visit(model))
