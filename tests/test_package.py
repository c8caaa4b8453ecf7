"""The package by itself: its rooms are imported when they are asked for."""

import subprocess
import sys

import pytest

import keras_fusion as kf

PROBE = """
import sys
import keras_fusion as kf
heavy = {"keras", "torch", "tensorflow", "jax"}
assert not heavy & set(sys.modules)
assert {"layers", "zoo"} <= set(dir(kf))
"""


def test_it_imports_no_backend_that_was_not_asked_for():
    subprocess.run([sys.executable, "-c", PROBE], check=True)


def test_its_rooms_are_its_attributes():
    assert kf.layers.ModalityAttention.__module__.startswith("keras_fusion.layers")
    with pytest.raises(AttributeError, match="no attribute 'layer'"):
        kf.layer  # noqa: B018
